"""What comes after an escort: it is confirmed, or lost; its record goes to the report box."""
