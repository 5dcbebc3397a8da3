type T::Itb = Iterable[Integer]
