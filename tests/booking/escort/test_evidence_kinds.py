"""What each kind of deed says of how far an escort is: one list, for the clock, the pages and the visit."""

from __future__ import annotations

from booking.escort.evidence.counting import WITH_THE_PERSON
from booking.escort.evidence.kinds import ENDING, IN_SERVICE, KINDS, MET, PROGRESS, THERE


def test_every_kind_says_how_far_she_is_or_is_written_at_any_time() -> None:
    assert set(KINDS) - set(PROGRESS) == {"note", "paper", "cost"}
    assert [kind for kind in KINDS if kind in PROGRESS] == list(PROGRESS)


def test_who_has_met_the_person_is_there_and_who_is_there_has_set_out() -> None:
    assert (*("on_the_way", "arrived"), *MET) == PROGRESS and ("arrived", *MET) == THERE
    assert set(MET) == WITH_THE_PERSON | ENDING and set(MET) > IN_SERVICE
