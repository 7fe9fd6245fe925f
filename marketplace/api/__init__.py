"""The customer's JSON API: who is let in, and how it describes itself."""
