"""People who work for the insurer or the platform: their accounts, passwords and second factors."""
