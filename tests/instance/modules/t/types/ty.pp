type T::Ty = Type[Integer]
