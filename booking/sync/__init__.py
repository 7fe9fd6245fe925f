"""What providers' feeds and webhooks bring: slots, bookings, events."""
