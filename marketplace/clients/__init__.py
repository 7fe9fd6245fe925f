"""API clients, the programs of providers and of insurers: their credentials, scopes and access tokens."""
