"""The provider desk: pages of members of a provider."""
