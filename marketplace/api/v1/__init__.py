"""The resources of the customer's JSON API, a file each."""
