"""What providers send and are sent: slots, signed messages, commands."""
