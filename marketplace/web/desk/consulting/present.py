"""Who asks for a page about consultations is at her desk."""

from __future__ import annotations

from marketplace.core.database.moment import by_database
from marketplace.web.desk.session import member
from providers.staff import shifts
from vip.principal import Member


def present() -> Member:
    """The signed-in member; a clinician on shift was seen by this request."""
    who = member()
    if who.role == "clinician":
        shifts.seen(who, now=by_database)
    return who
