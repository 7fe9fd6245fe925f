"""Places that somebody is sent to: list, nearest, wishes, and what operators do."""
