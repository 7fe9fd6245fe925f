"""The day's closing statements: what was delivered, and what it costs."""
