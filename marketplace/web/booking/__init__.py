"""Finding a place, booking it, following it, changing and cancelling it, and the waiting list."""
