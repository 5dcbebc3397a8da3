type T::Opt = Optional[T::Port]
