"""Where somebody can be sent, by city: looked at, changed from a day on, given out as a table."""
