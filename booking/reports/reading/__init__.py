"""Reading what was delivered: which item it is, its unit, value and mark."""
