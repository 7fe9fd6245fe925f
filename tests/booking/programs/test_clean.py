"""What a run booked at a twin is cancelled; what has ended by itself meanwhile is not listed as left."""

from __future__ import annotations

from datetime import datetime

import pytest

from booking.answering.answer import ProvidersAnswer
from booking.certifying.journal import TableJournal
from booking.programs import clean as cleaning
from booking.programs.kit import ProgramKit, Trial
from booking.twins.act import cancel_as_customer
from marketplace.core import clock
from marketplace.core.errors import NotFound
from tests.booking.programs.trials import Stage, living, under_way


def refuse(_answer: ProvidersAnswer, _reason: str, *, now: datetime) -> None:
    raise NotFound(field="booking_id")


@pytest.mark.parametrize("ended", [True, False])
def test_a_cancel_that_is_refused_leaves_only_what_lives(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    provider = stage.world.provider.id
    booked = ProgramKit(Trial(under_way(stage), stage.twin.id, TableJournal(provider), clock.now)).book()
    assert living(stage) == [booked]

    def cancel(twin_id: int, booking: str, *, now: datetime) -> None:
        if ended:
            cancel_as_customer(twin_id, booking, now=now)
        raise NotFound(field="booking_id")

    monkeypatch.setattr(cleaning, "cancel_as_customer", cancel)
    monkeypatch.setattr(cleaning.answer, "cancel", refuse)
    left = cleaning.clean(provider, stage.twin.id, now=clock.now())
    assert [*map(str, left)] == ([] if ended else [f"test booking {booked} (not_found)"])
    assert bool(TableJournal(provider).left()) is not ended
