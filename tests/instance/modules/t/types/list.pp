type T::List = Array[Variant[Integer, T::List]]
