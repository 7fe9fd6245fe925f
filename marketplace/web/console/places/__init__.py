"""Entries of the list that may mean one place: deciding, and what one place may do."""
