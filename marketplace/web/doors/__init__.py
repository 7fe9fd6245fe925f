"""The doors of those who sign in by password, the console's and the desk's: sign-in, one's own password and device."""
