"""Who may enter: signing in, one's own password and device, operators, blocked customers."""
