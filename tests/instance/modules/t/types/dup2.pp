type T::Dup2 = T::Port
