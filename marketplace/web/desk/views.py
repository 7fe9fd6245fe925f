"""Every view of the desk, by its endpoint."""

from __future__ import annotations

from marketplace.web.answers import Views
from marketplace.web.desk import live
from marketplace.web.desk.answers import framed
from marketplace.web.desk.applying import application, apply
from marketplace.web.desk.capacity import calendar, deciding, editing
from marketplace.web.desk.consulting import board, closing, doing, phrases, talk
from marketplace.web.desk.dispatching import dispatch, home, one, rosters, workers
from marketplace.web.desk.escorting import deeds, mine, worker
from marketplace.web.desk.figures import kept, statements
from marketplace.web.desk.joining import connecting, profile, system
from marketplace.web.desk.offering import offers, places
from marketplace.web.desk.rehearsing import rehearsals
from marketplace.web.desk.results import delivering
from marketplace.web.desk.session import DOOR
from marketplace.web.desk.setup import health, hooks, mails, programs
from marketplace.web.desk.team import invitations, members
from marketplace.web.desk.twins import mode, trials
from marketplace.web.desk.work import bookings, check_in, today
from marketplace.web.doors.entering import Entering
from marketplace.web.doors.own import Own

DESK_VIEWS: Views = {
    **Entering(DOOR).views,
    **Own(DOOR, framed).views,
    **live.VIEWS,
    **today.VIEWS,
    **bookings.VIEWS,
    **check_in.VIEWS,
    **board.VIEWS,
    **talk.VIEWS,
    **doing.VIEWS,
    **closing.VIEWS,
    **phrases.VIEWS,
    **mine.VIEWS,
    **deeds.VIEWS,
    **worker.VIEWS,
    **calendar.VIEWS,
    **editing.VIEWS,
    **deciding.VIEWS,
    **delivering.VIEWS,
    **dispatch.VIEWS,
    **one.VIEWS,
    **workers.VIEWS,
    **home.VIEWS,
    **rosters.VIEWS,
    **offers.VIEWS,
    **places.VIEWS,
    **apply.VIEWS,
    **application.VIEWS,
    **profile.VIEWS,
    **system.VIEWS,
    **rehearsals.VIEWS,
    **mode.VIEWS,
    **trials.VIEWS,
    **connecting.VIEWS,
    **kept.VIEWS,
    **statements.VIEWS,
    **programs.VIEWS,
    **hooks.VIEWS,
    **mails.VIEWS,
    **health.VIEWS,
    **members.VIEWS,
    **invitations.VIEWS,
}
