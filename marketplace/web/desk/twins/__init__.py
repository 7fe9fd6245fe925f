"""Test mode at the desk: switching it on and off, and what test customers book."""
