type T::Integer = String
