"""Lines of a provider that sends escorts of its own: who comes and what she does, each once and in its order."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.booking.escort.outside.stage import (
    HE,
    WORD,
    Tell,
    assigned,
    by_event,
    by_list,
    code,
    deeds,
    line,
    make_outside,
    open_cases,
    sent,
    state,
)
from tests.booking.escort.staff import notices
from tests.people import NOON
from tests.world import EIGHT

pytestmark = pytest.mark.usefixtures("db")


def later(minutes: float) -> datetime:
    """So long after the beginning."""
    return EIGHT + timedelta(minutes=minutes)


@pytest.mark.parametrize("way", [by_event, by_list])
def test_an_escort_from_her_name_to_the_end(way: Tell) -> None:
    it = make_outside()
    booking = it.book()
    it.read(NOON)
    assert it.view(booking, now=NOON).stage == "looking"

    way(it, assigned(booking), NOON + timedelta(days=1))
    view = it.view(booking, now=EIGHT)
    assert (view.stage, view.safe_word, view.worker and view.worker.name) == ("coming", WORD, HE.name)
    assert len(view.code) == 4
    (told,) = notices("escort_assigned")
    assert told.facts["who"] == HE.name

    way(it, line(booking, 2, "on_the_way", minutes=-30), later(-29))
    assert state(booking) == "confirmed"
    way(it, line(booking, 3, "met", code=code(booking)), later(1))
    assert state(booking) == "checked_in"
    way(it, line(booking, 4, "registered", minutes=10), later(11))
    assert state(booking) == "in_service"
    way(it, line(booking, 5, "handed_over", minutes=90, words="一切顺利"), later(91))
    assert (state(booking), it.view(booking).stage) == ("in_service", "handed_over")

    it.status(booking, "fulfilled", 3, now=later(95))
    it.read(later(95))
    view = it.view(booking, now=later(96))
    assert (state(booking), view.stage, view.handed_over) == ("fulfilled", "done", "一切顺利")
    done = [(step.what, step.by_code) for step in view.steps if step.state == "done"]
    assert done == [("on_the_way", False), ("met", True), ("registered", False), ("handed_over", False)]
    assert (sent(booking), open_cases()) == ([("done", None)], [])


def test_a_deed_has_the_providers_time_and_number_and_what_is_doubtful_about_it() -> None:
    it = make_outside()
    booking = it.book()
    it.tell(assigned(booking), now=NOON)
    it.tell(line(booking, 2, "met", minutes=60, position="within", accuracy_m=20), now=EIGHT)
    (deed,) = deeds(booking)
    assert (deed.number, deed.at, deed.received_at, deed.doubt) == (2, later(60), EIGHT, "ahead")
    assert (deed.position, deed.accuracy_m, deed.by_code) == ("within", 20, False)
