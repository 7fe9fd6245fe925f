"""The escort worker's pages on her phone, which go on without a connection."""
