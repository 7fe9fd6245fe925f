"""Read models of bookings for the customer, the desk and the console."""
