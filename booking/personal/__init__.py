"""Data about people: the register of it, and what the register drives: export, erasure, retention."""
