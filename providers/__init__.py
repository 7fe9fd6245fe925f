"""Everything that speaks to outside providers: the port, its adapters, the API they call, sandboxes."""
