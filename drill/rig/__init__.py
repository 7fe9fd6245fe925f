"""What a drill runs on: database, providers and processes, and the trouble that is made for them."""
