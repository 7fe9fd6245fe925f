"""Coverage: the rule, its numbers, and how it is written."""
