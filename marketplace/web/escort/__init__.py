"""An escort: the page of one that goes on, its papers, what its customer says of it, and the links for the family."""
