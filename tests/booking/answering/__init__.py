"""What a provider's people see and say."""
