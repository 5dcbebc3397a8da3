type T::Loop = Variant[T::Loop, Array[T::Loop]]
