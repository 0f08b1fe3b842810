-- Left out is the same as false, and is what a manifest says that does not speak of it.
obj.spec.suspend = nil
return obj
