type T::Odd = Struct[{next => T::Even}]
