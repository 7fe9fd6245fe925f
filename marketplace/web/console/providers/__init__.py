"""The console's pages of providers: how each one is, pausing it, and what it is called."""
