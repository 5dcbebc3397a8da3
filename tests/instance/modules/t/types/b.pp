type T::B = Variant[T::C, Boolean]
