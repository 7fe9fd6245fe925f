"""Policies of the insurer: the list, a search, one policy with who put what when."""
