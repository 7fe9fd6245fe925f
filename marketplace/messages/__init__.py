"""What customers are sent outside a request: words, sending, calendar files."""
