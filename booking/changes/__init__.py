"""What a customer, a provider or the clock asks to change: cancel, reschedule, proposals of another time."""
