"""Reports that a provider delivers over the partner API."""
