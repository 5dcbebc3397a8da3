type T::Sens = Variant[Sensitive[String], String]
