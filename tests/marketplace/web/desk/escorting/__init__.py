"""The escort worker's pages."""
