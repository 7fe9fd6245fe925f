"""The partner API, `/partner/v1`: what providers' programs call."""
