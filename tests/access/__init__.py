"""Who may do what over HTTP: one table of every route, and a world in which each line of it is tried by everybody."""
