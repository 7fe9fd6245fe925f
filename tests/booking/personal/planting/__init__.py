"""The rows of a customer's whole life, by subject; `planted` puts them together."""
