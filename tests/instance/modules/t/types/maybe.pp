type T::Maybe = Optional[T::Maybe]
