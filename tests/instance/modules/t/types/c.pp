type T::C = Array[T::A]
