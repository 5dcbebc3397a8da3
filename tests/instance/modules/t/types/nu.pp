type T::Nu = NotUndef[Optional[T::Port]]
