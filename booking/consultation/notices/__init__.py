"""What a customer is notified of about her consultation while she isn't looking at it."""
