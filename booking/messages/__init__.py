"""Delivering notices to customers: inbox, reminders, calendar, and her settings for them."""
