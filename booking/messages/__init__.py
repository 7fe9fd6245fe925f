"""Messages to customers: inbox, delivery, reminders, calendar, and the settings for them."""
