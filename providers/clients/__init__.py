"""API clients of providers: their credentials, scopes and access tokens."""
