"""Deeds of escorts as they are stored: their kinds, what they say, what proves them, and the pictures with them."""
