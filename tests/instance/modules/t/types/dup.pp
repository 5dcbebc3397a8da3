type T::Dup = T::Dup2
