type T::Obj = {attributes => {a => Integer}}
