"""Deeds are taken once, by number, for the escort they were done in, whatever the connection did."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from booking.escort.deeds import deeds_of
from booking.escort.evidence.doubt import FARTHEST
from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.escort.evidence.pictures import picture_of
from booking.escort.models import EscortAssignment
from booking.escorting.code import TRIES
from booking.escorting.take import MOST_AT_ONCE
from booking.escorting.whose import LATELY
from booking.live.models import LiveEvent
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.booking.escorting.stage import CODE, THERE, Stage, add_worker, assign, deed, locate, make_stage
from tests.people import NOON
from tests.pictures import make_picture, seen, whereabouts
from tests.world import EIGHT

_BEHIND_ME = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def told(stage: Stage) -> list[Any]:
    """What a reader of the booking is shown."""
    with reading() as session:
        return list(deeds_of(session, stage.booking_id))


def codes(answers: list[Any]) -> list[str]:
    return [each.refused.code if each.refused else "taken" for each in answers]


def test_the_order_is_the_phones_and_the_times_are_those_of_the_deeds() -> None:
    stage = make_stage()
    third, first, second = deed("registered", 3, minutes=40), deed("on_the_way", 1), deed("met", 2, minutes=21)
    stage.taken(third, now=EIGHT + timedelta(hours=1))
    stage.taken(second, first, now=EIGHT + timedelta(hours=2))
    assert [each.kind for each in stage.rows()] == ["registered", "met", "on_the_way"]
    found = told(stage)
    assert [(it.number, it.kind, it.worker) for it in found] == [
        (1, "on_the_way", "何静"),
        (2, "met", "何静"),
        (3, "registered", "何静"),
    ]
    assert [it.at for it in found] == [THERE + timedelta(minutes=each) for each in (0, 21, 40)]
    assert [it.received_at for it in found] == [EIGHT + timedelta(hours=each) for each in (2, 2, 1)]
    with reading() as session:
        events = session.scalars(select(LiveEvent).where(LiveEvent.kind == "escort")).all()
    assert [it.facts["deed"] for it in events] == [each.public_id for each in stage.rows()]
    assert all(f"customer:{stage.made.world.customer.id}" in it.topics for it in events)


def test_a_deed_that_is_sent_again_is_the_same_one_and_another_one_under_its_key_is_refused() -> None:
    stage = make_stage()
    note = deed("note", 1, words="早饭已吃")
    once = stage.taken(note)[0]
    again = stage.taken(note, note, now=EIGHT + timedelta(hours=3))
    assert [(it.id, it.repeated) for it in again] == [(once.id, True)] * 2
    others: list[dict[str, Any]] = [
        {"words": "没吃"},
        {"number": 2},
        {"kind": "handed_over"},
        {"at": (THERE + timedelta(seconds=1)).isoformat()},
    ]
    assert codes(stage.take(*({**note, **each} for each in others))) == ["deed_key_reused"] * len(others)
    with reading() as session:
        booking = session.scalars(select(EscortDeed.booking_id)).one()
    assert (booking, told(stage)[0].words) == (stage.booking_id, "早饭已吃")


def test_a_key_of_another_escort_is_not_taken_again() -> None:
    stage = make_stage()
    step = deed("met", 1)
    stage.taken(step)
    other = Stage(**stage.__dict__)
    stage.end("replaced", "ill")
    other.member, worker = add_worker(stage.made.world.provider.id, "王安")
    other.assignment, other.assignment_id = assign(stage.booking_id, worker, stage.made.world.provider.id)
    assert codes(other.take(step)) == ["deed_key_reused"]


def test_one_that_is_wrong_refuses_itself_alone() -> None:
    stage = make_stage()
    wrong = deed("note", 2)
    answers = stage.take(deed("on_the_way", 1), wrong, 7, deed("met", 3), {"key": "x" * 500, "kind": "met"})
    assert codes(answers) == ["taken", "invalid", "invalid", "taken", "invalid"]
    assert [it.key for it in answers][1:3] == [wrong["key"], ""]
    assert [it.kind for it in stage.rows()] == ["on_the_way", "met"]
    with pytest.raises(Invalid):
        stage.take(*[deed("met", 1)] * (MOST_AT_ONCE + 1))


def test_a_replaced_workers_late_deeds_stay_hers_and_move_nothing() -> None:
    stage = make_stage()
    stage.taken(deed("on_the_way", 1))
    stage.end("replaced", "late", at=THERE + timedelta(minutes=10))
    other, worker = add_worker(stage.made.world.provider.id, "王安")
    assignment, assignment_id = assign(stage.booking_id, worker, stage.made.world.provider.id, now=EIGHT)
    second = Stage(stage.made, stage.booking, stage.booking_id, other, worker, assignment, assignment_id)
    second.taken(deed("on_the_way", 1, minutes=20))
    late = stage.taken(deed("met", 2, minutes=9), deed("registered", 3, minutes=60), now=EIGHT + timedelta(hours=5))
    assert [it.doubt for it in late] == [None, "after"]
    assert [(it.worker, it.number, it.kind) for it in told(stage)] == [
        ("何静", 1, "on_the_way"),
        ("何静", 2, "met"),
        ("何静", 3, "registered"),
        ("王安", 1, "on_the_way"),
    ]
    assert stage.state() == "confirmed"
    second.taken(deed("met", 2, minutes=35))
    assert stage.state() == "checked_in"


def test_impossible_times_are_kept_as_they_were_said_and_marked() -> None:
    stage = make_stage()
    days = [deed("note", 1, words="x", minutes=60 * 24 * 365), deed("note", 2, words="x", minutes=-60 * 24 * 365)]
    assert [it.doubt for it in stage.taken(*days, deed("note", 3, words="x"))] == ["ahead", "before", None]
    assert [it.at.isoformat() for it in stage.rows()][:2] == [each["at"] for each in days]


def test_a_year_that_no_calendar_has_there_is_kept_as_far_away_and_the_deed_counts() -> None:
    stage = make_stage()
    years = [{**deed("met", number), "at": at} for number, at in ((1, "0001-01-02T00:00Z"), (2, "9999-12-31T20:00Z"))]
    assert [it.doubt for it in stage.taken(*years)] == ["before", "ahead"]
    assert [it.at for it in stage.rows()] == [EIGHT - FARTHEST, EIGHT + FARTHEST]
    assert [it.repeated for it in stage.taken(*years, now=EIGHT + timedelta(hours=1))] == [True, True]


def test_what_is_told_more_than_a_week_after_its_end_is_refused_and_what_was_known_stays_known() -> None:
    stage = make_stage()
    note = deed("note", 1, words="x")
    stage.taken(note)
    stage.end("replaced", "ill")
    assert codes(stage.take(deed("cost", 2, amount_minor=5, currency="CNY", what="停车"), now=EIGHT + LATELY)) == [
        "taken"
    ]
    after = EIGHT + LATELY + timedelta(seconds=1)
    assert codes(stage.take(deed("note", 3, words="x"), note, now=after)) == ["deed_told_too_late", "taken"]


def test_what_is_not_hers_is_not_there() -> None:
    stage, number = make_stage(), 1
    colleague, worker = add_worker(stage.made.world.provider.id, "王安")
    asked = Stage(**stage.__dict__)
    stage.end("replaced", "desk")
    asked.assignment, _ = assign(stage.booking_id, stage.worker_id, stage.made.world.provider.id, state="asked")
    elsewhere = stage.member.__class__(**{**stage.member.__dict__, "provider_id": stage.member.provider_id + 1})
    in_test = stage.member.__class__(**{**stage.member.__dict__, "test": True})
    for each, member in ((stage, colleague), (stage, elsewhere), (stage, in_test), (asked, stage.member)):
        with pytest.raises(NotFound):
            each.take(deed("met", number), member=member)
    assert stage.rows() == [] and worker


def test_of_a_position_only_the_verdict_is_stored() -> None:
    stage = make_stage()
    unknown = stage.taken(deed("arrived", 1, distance_m=12, accuracy_m=17))[0]
    assert (unknown.position, unknown.by_code) == ("not_checkable", False)
    locate(stage.made)
    near, far, poor, none = stage.taken(
        deed("arrived", 2, distance_m=287, accuracy_m=19),
        deed("arrived", 3, distance_m=54321, accuracy_m=19),
        deed("met", 4, distance_m=287, accuracy_m=2_543),
        deed("arrived", 5),
    )
    assert [it.position for it in (near, far, poor, none)] == ["within", "away", "not_checkable", "not_checkable"]
    assert [it.accuracy_m for it in stage.rows()] == [17, 19, 19, 2543, None]
    with reading() as session:
        rows = session.scalars(text("SELECT to_jsonb(d) - 'received_at' - 'at' - 'key' FROM escort_deed d")).all()
    assert not any("54321" in str(row) or "287" in str(row.values()) for row in rows)


def test_the_persons_code_proves_presence_as_well_and_can_be_tried_a_few_times() -> None:
    stage = make_stage()
    arrived = deed("arrived", 1, code="0000")
    tries = [stage.take(arrived)[0].refused for _try in range(TRIES.capacity + 1)]
    assert [it.code for it in tries if it] == ["wrong_escort_code"] * TRIES.capacity + ["too_many"]
    assert stage.rows() == []
    right = {**arrived, "code": CODE}
    assert codes(stage.take(right)) == ["too_many"], "nothing is compared any more"
    later = EIGHT + timedelta(hours=1)
    taken = stage.taken(right, now=later)[0]
    assert (taken.by_code, taken.position) == (True, None)
    assert stage.taken(right, now=later)[0].repeated, "nothing is tried for what is here already"
    assert codes(stage.take(deed("met", 2, code=CODE), now=later)) == ["taken"], "who proved it starts anew"


def test_a_code_that_was_forgotten_proves_nothing_and_the_deed_counts() -> None:
    stage = make_stage()
    with transaction() as session:
        session.execute(update(EscortAssignment).values(code_sealed=None))
    taken = stage.taken(deed("arrived", 1, code="0000"))[0]
    assert (taken.by_code, taken.position) == (False, "not_checkable")


def test_a_code_that_is_told_after_the_end_proves_presence_as_well() -> None:
    stage = make_stage()
    over = deed("handed_over", 2, words="药已交"), deed("signed", 3, strokes=[[0, 0, 500, 200]])
    stage.taken(deed("arrived", 1, code=CODE), *over, now=EIGHT + timedelta(hours=1))
    assert stage.state() == "fulfilled"
    late = stage.taken(deed("met", 4, code=CODE), now=EIGHT + timedelta(days=6))[0]
    assert (late.by_code, late.position, late.doubt) == (True, None, None)


def test_a_picture_is_written_anew_and_sealed_with_its_deed(owner_connection: Connection) -> None:
    stage = make_stage()
    paper, wrong = deed("paper", 1, words="心电图"), deed("cost", 2, amount_minor=5, currency="CNY", what="停车")
    content = make_picture(exif=whereabouts())
    answers = stage.take(paper, wrong, **{paper["key"]: content, wrong["key"]: b"MZ no picture"})
    assert codes(answers) == ["taken", "invalid"]
    assert answers[1].refused is not None and answers[1].refused.at == "picture"
    assert [it.picture != "" for it in told(stage)] == [True]
    with reading() as session:
        stored = session.scalars(select(EscortPicture.public_id)).one()
        large = picture_of(session, stage.booking_id, stored)
        small = picture_of(session, stage.booking_id, stored, thumbnail=True)
        with pytest.raises(NotFound):
            picture_of(session, stage.booking_id + 1, stored)
    assert not seen(large).getexif() and large.startswith(b"\xff\xd8\xff") and small.startswith(b"\xff\xd8\xff")
    raw = owner_connection.execute(
        text("SELECT p.sealed || p.thumbnail_sealed || d.sealed FROM escort_picture p JOIN escort_deed d ON true")
    ).scalar_one()
    assert b"\xff\xd8\xff" not in bytes(raw) and "心电图".encode() not in bytes(raw)
    other = stage.take(paper, **{paper["key"]: make_picture(width=32)})
    assert codes(other) == ["deed_key_reused"]


def test_two_at_once_take_one() -> None:
    stage = make_stage()
    step = deed("met", 1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: stage.taken(step)[0], range(8)))
    assert len({it.id for it in answers}) == 1 and len(stage.rows()) == 1
    assert sorted(it.repeated for it in answers) == [False] + [True] * 7


def test_without_the_guard_the_key_alone_refuses_a_second_one(owner_connection: Connection) -> None:
    stage = make_stage()
    stage.taken(deed("met", 1))
    columns = "assignment_id, booking_id, key, number, kind, at, received_at"
    copy = text(f"INSERT INTO escort_deed (public_id, {columns}) SELECT 'esd_2', {columns} FROM escort_deed")
    with pytest.raises(IntegrityError, match="escort_deed_key"):
        owner_connection.execute(copy)
    owner_connection.execute(text("BEGIN"))
    owner_connection.execute(text("ALTER TABLE escort_deed DROP CONSTRAINT uq_escort_deed_key"))
    owner_connection.execute(copy)
    found = owner_connection.execute(text("SELECT count(*) FROM escort_deed")).scalar_one()
    owner_connection.execute(text("ROLLBACK"))
    assert (found, len(stage.rows())) == (2, 1)


def test_what_was_told_is_never_written_anew() -> None:
    stage = make_stage()
    stage.taken(deed("met", 1))
    for column, value in (("at", NOON), ("number", 9), ("position", "within"), ("key", uuid.uuid4())):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction() as session:
            session.execute(update(EscortDeed).values({column: value}))
    with transaction() as session:
        session.execute(update(EscortDeed).values(sealed=None))
