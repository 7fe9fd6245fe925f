"""The desk's pages about the provider's own people: members, and whom they invite."""
