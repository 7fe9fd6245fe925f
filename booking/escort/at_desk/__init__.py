"""A provider's bookings for which somebody is sent, as its desk sees and arranges them."""
