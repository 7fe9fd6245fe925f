"""The drill: the product under kills and providers' faults, then every book compared with every other."""
