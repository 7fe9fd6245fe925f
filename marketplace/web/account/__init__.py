"""Her account: signing in, phone, consents, messages and their settings."""
