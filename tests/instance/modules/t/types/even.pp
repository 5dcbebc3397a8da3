type T::Even = Variant[T::Odd, Undef]
