type T::Long = Variant[T::Port, Array[T::Port, 1, 3], Hash[String, T::Port, 0, 1]]
