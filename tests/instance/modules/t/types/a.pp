type T::A = Variant[T::B, Integer]
