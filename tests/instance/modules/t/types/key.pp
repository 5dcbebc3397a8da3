type T::Key = Hash[Enum['a','b'], T::Port]
