"""The steps, by what they prove: each makes its own test bookings and depends on no other."""
