type T::Tree = Hash[String[1], Variant[String, T::Tree]]
