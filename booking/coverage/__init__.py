"""Places that somebody is sent to: how each is covered, what helps where it is not, and who asked to be told."""
