"""Jobs about what is sent: to customers, to providers' people and to their systems."""

from __future__ import annotations

from booking.messages.deliver import deliver_due
from booking.messages.remind import remind_of_bookings, remind_of_endings
from booking.webhooks.make import make_deliveries
from booking.webhooks.stopped import deliver_messages
from booking.worker.jobs.job import Job
from marketplace.core import clock
from marketplace.messages import send, to_providers
from providers.applying.letters import APPLICATIONS
from providers.staff.post import INVITATIONS


def jobs() -> list[Job]:
    """The jobs."""
    return [
        Job("messages", 2, lambda: deliver_due(send.send, clock.now)),
        Job("invitations", 2, lambda: INVITATIONS.send_due(clock.now)),
        Job("applications", 2, lambda: APPLICATIONS.send_due(clock.now)),
        Job("reminders", 60, lambda: {"notified": remind_of_bookings(now=clock.now())}),
        Job("endings", 3600, lambda: {"notified": remind_of_endings(now=clock.now())}),
        Job("webhooks", 1, lambda: make_deliveries(now=clock.now())),
        Job("webhooks-stopped", 5, lambda: deliver_messages(to_providers.send, clock.now)),
    ]
