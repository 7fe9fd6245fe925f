"""What customers say of a service once it is done: stars, and words if they like."""
