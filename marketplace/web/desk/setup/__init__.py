"""The desk's pages about the connection of the provider's own programs: clients, webhooks, contacts."""
