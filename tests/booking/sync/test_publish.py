"""Published slots: in whatever order and whatever pieces the same lines come, they end in the same slots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from booking.models import Slot
from booking.sync.publish import Call, Fault, publish_slots
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading
from providers.reported import RemoteSlot
from tests.people import NOON
from tests.world import DAY, EIGHT, make_offer

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

SHORT = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def told(reference: str, version: int) -> RemoteSlot:
    """What a slot is like at a version: all of it follows from these two."""
    number = version * 7 + len(reference)
    starts = EIGHT + timedelta(minutes=30 * (number % 5)) if number % 3 else None
    ends = starts + timedelta(minutes=20) if starts else None
    return RemoteSlot("pool-1", reference, DAY, starts, ends, number % 4, number % 2 == 0, version)


LINES = st.lists(
    st.builds(told, st.sampled_from(["a", "bb", "ccc", "dddd"]), st.integers(0, 6)), min_size=1, max_size=12
)


@dataclass(frozen=True)
class Sent:
    """The same lines in an order, cut into calls."""

    lines: list[RemoteSlot]
    cuts: list[int]

    def calls(self) -> list[list[RemoteSlot]]:
        """The calls, some of them perhaps empty."""
        places = [0, *sorted(cut % (len(self.lines) + 1) for cut in self.cuts), len(self.lines)]
        return [self.lines[start:end] for start, end in pairwise(places)]


@st.composite
def sent_twice(draw: st.DrawFn) -> tuple[Sent, Sent]:
    """The same lines in two orders and two sets of pieces; the second with repeats."""
    lines = draw(LINES)
    cuts = st.lists(st.integers(0, 20), max_size=3)
    repeats = draw(st.lists(st.sampled_from(lines), max_size=3))
    return Sent(lines, draw(cuts)), Sent(draw(st.permutations([*lines, *repeats])), draw(cuts))


def published(sent: Sent) -> list[tuple[object, ...]]:
    """The slots that the calls end in, of a provider of their own."""
    provider = make_offer(slots=0)[0]
    for lines in sent.calls():
        publish_slots(Call(provider.id, "req", None, NOON), lines)
    return held(provider)


def held(provider: Provider) -> list[tuple[object, ...]]:
    with reading() as session:
        rows = session.scalars(select(Slot).join(Slot.pool).filter_by(provider_id=provider.id))
        return sorted(
            (row.external_ref, row.version, row.offered, row.closed, row.service_date, row.starts_at, row.ends_at)
            for row in rows
        )


@SHORT
@given(sent_twice())
def test_any_order_and_any_pieces_of_the_same_lines_end_in_the_same_slots(twice: tuple[Sent, Sent]) -> None:
    first, second = twice
    assert published(first) == published(second)
    newest = {slot.reference: slot for slot in sorted(first.lines, key=lambda slot: slot.version)}
    assert [row[:2] for row in published(first)] == sorted((name, slot.version) for name, slot in newest.items())


def test_lines_that_could_not_be_read_keep_their_places() -> None:
    provider = make_offer(slots=0)[0]
    bad = (Fault("line", "not_json"),)
    answers = publish_slots(Call(provider.id, "req", None, NOON), [bad, told("a", 1), bad, told("a", 0)])
    assert [answer.status for answer in answers] == ["refused", "created", "refused", "outdated"]
    assert [answer.faults for answer in answers] == [bad, (), bad, ()]
