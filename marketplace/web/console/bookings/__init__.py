"""The phone desk: a booking with who is sent to it, cancelling for a customer, disputes."""
