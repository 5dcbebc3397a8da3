type T::JsonV = Variant[ScalarData, Undef, Array[T::JsonV], Hash[String, T::JsonV]]
