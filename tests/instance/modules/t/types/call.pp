type T::Call = Callable[Integer]
