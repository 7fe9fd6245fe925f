"""What an escort worker's phone tells, and what follows."""
