type T::In = Init[Integer]
