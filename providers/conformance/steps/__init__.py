"""The steps, by what they prove: each makes its own bookings and depends on no other."""
