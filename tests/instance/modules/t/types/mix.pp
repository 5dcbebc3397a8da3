type T::Mix = Variant[U::Mode, T::Port, Undef]
