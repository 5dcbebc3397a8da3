type T::Ci = Enum['Yes','No',true]
