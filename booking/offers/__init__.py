"""What can be booked: times, cities, alternatives, and the one rule that says bookable."""
