type T::Port = Integer[0, 65535]
