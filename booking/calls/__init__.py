"""Calling a provider: how it is reached, when it is left alone, and commands that it does not take."""
