"""Delivering what customers are told: inbox, reminders, calendar, and her settings for them."""
