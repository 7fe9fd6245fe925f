"""What leaves for addresses outside."""
