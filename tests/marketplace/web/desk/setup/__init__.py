"""The connection of a provider's programs, in the desk's pages."""
