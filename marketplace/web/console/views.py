"""Every view of the console, by its endpoint."""

from __future__ import annotations

from marketplace.web.answers import Views
from marketplace.web.console import applications, certificates, closures, overview
from marketplace.web.console.accounts import managers, operators, people
from marketplace.web.console.answers import framed
from marketplace.web.console.bookings import desk
from marketplace.web.console.books import cases, kept, runs, statements
from marketplace.web.console.coverage import cities
from marketplace.web.console.importing import imports
from marketplace.web.console.places import deciding
from marketplace.web.console.policies import policies, snapshots
from marketplace.web.console.providers import clinicians, names, one
from marketplace.web.console.session import DOOR
from marketplace.web.doors.entering import Entering
from marketplace.web.doors.own import Own

CONSOLE_VIEWS: Views = {
    **Entering(DOOR).views,
    **Own(DOOR, framed).views,
    **overview.VIEWS,
    **desk.VIEWS,
    **cases.VIEWS,
    **runs.VIEWS,
    **certificates.VIEWS,
    **applications.VIEWS,
    **statements.VIEWS,
    **kept.VIEWS,
    **closures.VIEWS,
    **deciding.VIEWS,
    **cities.VIEWS,
    **people.VIEWS,
    **policies.VIEWS,
    **snapshots.VIEWS,
    **operators.VIEWS,
    **managers.VIEWS,
    **one.VIEWS,
    **clinicians.VIEWS,
    **names.VIEWS,
    **imports.VIEWS,
}
