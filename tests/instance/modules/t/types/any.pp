type T::Any = Any
