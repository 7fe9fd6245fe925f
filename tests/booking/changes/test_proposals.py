"""Another time that the provider proposes: the customer takes it or keeps her date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from booking.changes import proposals
from booking.changes.cancel import cancel
from booking.changes.proposals import ProposalOver, accept, decline, expire_proposals
from booking.changes.reschedule import NotChangeable, reschedule
from booking.changes.unanswered import end_unanswered
from booking.exchange.inbound import apply_remote
from booking.messages.freshness import stale
from booking.models import Booking, ChangeRequest, Discrepancy
from booking.notices.models import Notification
from booking.proposal import Proposal
from booking.reconcile.compare import Ours, compare
from booking.refusals import SlotClosed, SlotFull, SlotMoved
from booking.views.cards import BookingView
from booking.views.customer import booking as view
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import Accepted, Confirmed, Decline, Refused, Unknown
from providers.port import NotFound as NotThere
from providers.reported import Proposed, RemoteBooking
from tests.people import NOON, counters
from tests.world import EIGHT, FakeAdapter, World, booking_row, join, make_world, one_pass, remote, taken, tasks

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]

SOON = NOON + timedelta(seconds=1)
LATER = NOON + timedelta(minutes=5)
END = NOON + timedelta(hours=6)


def submitted(answer: Any, **world: Any) -> tuple[World, str]:
    made = make_world(**world)
    public_id = made.submit()
    one_pass(made, FakeAdapter(answers=[answer]), now=NOON)
    return made, public_id


def confirmed(**world: Any) -> tuple[World, str]:
    return submitted(Confirmed("R-1", 1), **world)


def requested(**world: Any) -> tuple[World, str]:
    return submitted(Accepted("R-1", 1), **world)


def proposed(world: World, slot: int = 1, *, expires: datetime = END, **values: Any) -> Proposed:
    of = world.slots[slot]
    values = {"service_date": of.service_date, "starts_at": of.starts_at, "ends_at": of.ends_at, **values}
    return Proposed(of.external_ref, expires_at=expires, reason="设备检修", **values)


def told(world: World, public_id: str, version: int = 2, status: str = "", now: datetime = SOON, **more: Any) -> str:
    """The provider tells of the booking as it stands, with `proposal` or without."""
    row = booking_row(public_id)
    times = {"service_date": row.service_date, "starts_at": row.starts_at, "ends_at": row.ends_at}
    status = status or ("confirmed" if row.state == "confirmed" else "requested")
    with transaction() as session:
        message = remote(public_id, status, version, **{**times, **more})
        return apply_remote(session, world.provider.id, message, now=now).what


def seen(world: World, public_id: str, now: datetime = SOON) -> BookingView:
    return view(world.principal, public_id, now=now)


def proposal_of(world: World, public_id: str) -> str:
    shown = seen(world, public_id).proposal
    assert shown is not None
    return shown.id


def states(public_id: str) -> list[str]:
    with reading() as session:
        rows = select(Proposal.state).join(Booking, Booking.id == Proposal.booking_id).order_by(Proposal.id)
        return list(session.scalars(rows.where(Booking.public_id == public_id)))


def notices(public_id: str) -> list[str]:
    with reading() as session:
        rows = select(Notification.kind).join(Booking, Booking.id == Notification.booking_id).order_by(Notification.id)
        return list(session.scalars(rows.where(Booking.public_id == public_id, Notification.kind != "held")))


def test_a_proposal_is_shown_told_once_and_changes_nothing_else() -> None:
    world, public_id = confirmed()
    before = booking_row(public_id).version
    assert told(world, public_id, proposal=proposed(world)) == "applied"
    shown = seen(world, public_id)
    assert shown.proposal is not None
    assert (shown.proposal.starts_at, shown.proposal.expires_at) == (world.slots[1].starts_at, END)
    assert (shown.state, shown.starts_at, shown.proposal.reason) == ("confirmed", world.slots[0].starts_at, "设备检修")
    assert shown.version > before, "the open page follows"
    assert shown.timeline[-1].cause == "time_proposed"
    version = booking_row(public_id).version
    assert told(world, public_id, proposal=proposed(world)) == "unchanged"
    told(world, public_id, 3, proposal=proposed(world))
    assert booking_row(public_id).version == version and states(public_id) == ["open"]
    assert notices(public_id) == ["confirmed", "time_proposed"]
    assert [taken(slot) for slot in world.slots] == [1, 0, 0]


def test_the_notice_tells_the_new_time_and_is_not_sent_once_it_is_answered() -> None:
    world, public_id = confirmed()
    told(world, public_id, proposal=proposed(world))
    with reading() as session:
        notice = session.scalars(select(Notification).where(Notification.kind == "time_proposed")).one()
        assert notice.facts["new_starts_at"] == world.slots[1].starts_at.isoformat()
        assert notice.facts["new_day"] == world.slots[1].service_date.isoformat()
        assert (stale(session, notice, SOON), stale(session, notice, END)) == ("", "over")
    decline(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    with reading() as session:
        assert stale(session, notice, SOON) == "superseded"


def test_a_proposed_time_is_hers_though_others_wait_for_it() -> None:
    world, public_id = confirmed()
    told(world, public_id, proposal=proposed(world))
    with transaction() as session:
        session.execute(
            text("INSERT INTO freed_slot (slot_id, kept, freed_at) VALUES (:slot, true, now() + interval '1 h')"),
            {"slot": world.slots[1].id},
        )
    accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    assert states(public_id) == ["accepted"] and taken(world.slots[1]) == 1


def test_accepting_moves_a_confirmed_booking_and_counts_as_no_change_of_hers() -> None:
    world, public_id = confirmed()
    with transaction() as session:
        row = session.scalars(select(Booking).where(Booking.public_id == public_id)).one()
        row.snapshot = {**row.snapshot, "max_changes": 0, "change_hours": 24 * 365}
    told(world, public_id, proposal=proposed(world))
    accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    asked = seen(world, public_id)
    assert (asked.change, asked.proposal, asked.starts_at) == ("reschedule", None, world.slots[0].starts_at)
    adapter = FakeAdapter(answers=[Confirmed("R-1", 3)])
    one_pass(world, adapter, now=LATER)
    assert adapter.sent[0].slot == world.slots[1].external_ref
    assert booking_row(public_id).starts_at == world.slots[1].starts_at
    assert ([taken(slot) for slot in world.slots], states(public_id)) == ([0, 1, 0], ["accepted"])
    assert notices(public_id) == ["confirmed", "time_proposed", "changed"]


def test_accepting_twice_and_the_providers_own_word_of_it_are_one_change() -> None:
    world, public_id = confirmed()
    told(world, public_id, proposal=proposed(world))
    which = proposal_of(world, public_id)
    for _ in range(2):
        accept(world.principal, public_id, which, now=SOON)
    new = world.slots[1]
    told(world, public_id, 3, service_date=new.service_date, starts_at=new.starts_at, ends_at=new.ends_at)
    assert booking_row(public_id).starts_at == new.starts_at
    assert tasks(public_id) == [("reserve", "done"), ("change", "done")]
    with pytest.raises(ProposalOver) as refused:
        decline(world.principal, public_id, which, now=LATER)
    assert refused.value.facts["state"] == "accepted"


@pytest.mark.parametrize("by_message", [False, True])
def test_an_accepted_proposal_confirms_a_booking_that_was_only_requested(by_message: bool) -> None:
    world, public_id = requested()
    told(world, public_id, proposal=proposed(world))
    accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    assert (booking_row(public_id).state, [taken(slot) for slot in world.slots]) == ("awaiting_provider", [1, 1, 0])
    new = world.slots[1]
    if by_message:
        times = {"service_date": new.service_date, "starts_at": new.starts_at, "ends_at": new.ends_at}
        told(world, public_id, 3, status="confirmed", **times)
    else:
        one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=LATER)
    row = booking_row(public_id)
    assert (row.state, row.starts_at, row.answer_due_at) == ("confirmed", new.starts_at, None)
    assert [taken(slot) for slot in world.slots] == [0, 1, 0]
    assert notices(public_id) == ["time_proposed", "confirmed"], "told once, with the new date"
    assert tasks(public_id)[-1] == ("change", "done")
    with reading() as session:
        assert session.query(Discrepancy).count() == 0


def test_an_unknown_answer_to_an_accepted_proposal_is_looked_up() -> None:
    world, public_id = requested()
    told(world, public_id, proposal=proposed(world))
    accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    new = world.slots[1]
    times = {"service_date": new.service_date, "starts_at": new.starts_at, "ends_at": new.ends_at}
    found = [remote(public_id, "requested", 3, **times), remote(public_id, "confirmed", 4, **times)]
    adapter = FakeAdapter(answers=[Unknown("timed out")], found=list(found))
    one_pass(world, adapter, now=LATER)
    one_pass(world, adapter, now=LATER + timedelta(seconds=10))
    assert booking_row(public_id).state == "awaiting_provider", "requested there is no yes"
    one_pass(world, adapter, now=LATER + timedelta(seconds=90))
    assert (booking_row(public_id).state, booking_row(public_id).starts_at) == ("confirmed", new.starts_at)


def test_a_provider_that_refuses_what_it_proposed_leaves_the_booking_as_it_was() -> None:
    world, public_id = requested()
    told(world, public_id, proposal=proposed(world))
    accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    one_pass(world, FakeAdapter(answers=[Refused("sold_out")]), now=LATER)
    row = booking_row(public_id)
    assert (row.state, row.starts_at) == ("awaiting_provider", world.slots[0].starts_at)
    assert row.answer_due_at is not None and row.answer_due_at > LATER
    assert ([taken(slot) for slot in world.slots], notices(public_id)[-1]) == ([1, 0, 0], "change_refused")


def test_declining_keeps_the_confirmed_date_and_tells_the_provider() -> None:
    world, public_id = confirmed()
    told(world, public_id, proposal=proposed(world))
    which = proposal_of(world, public_id)
    for _ in range(2):
        decline(world.principal, public_id, which, now=SOON)
    adapter = FakeAdapter(answers=[Confirmed("R-1", 3)])
    assert one_pass(world, adapter, now=LATER) == ["applied"]
    assert adapter.sent == [Decline(adapter.sent[0].key, public_id, "R-1", world.slots[1].external_ref)]
    assert tasks(public_id) == [("reserve", "done"), ("decline", "done")]
    shown = seen(world, public_id)
    assert (shown.state, shown.starts_at, shown.proposal) == ("confirmed", world.slots[0].starts_at, None)
    assert shown.timeline[-1].cause == "proposal_declined"
    told(world, public_id, 4, proposal=proposed(world))
    assert states(public_id) == ["declined"], "the same one is not asked about again"
    told(world, public_id, 5, proposal=proposed(world, 2))
    assert states(public_id) == ["declined", "open"]


def test_the_answer_to_a_decline_hides_no_message() -> None:
    world, public_id = confirmed()
    told(world, public_id, proposal=proposed(world))
    decline(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=LATER)
    assert told(world, public_id, 3, status="cancelled") == "applied"
    assert booking_row(public_id).state == "cancelled"


@pytest.mark.parametrize("found", [NotThere(), RemoteBooking("R-1", None, "confirmed", 3)])
def test_a_decline_without_a_clear_answer_is_looked_up_by_its_key(found: Any) -> None:
    world, public_id = confirmed()
    told(world, public_id, proposal=proposed(world))
    decline(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    adapter = FakeAdapter(answers=[Unknown("timed out"), Refused("too_late")], found=[found])
    for seconds in (0, 90, 91):
        one_pass(world, adapter, now=LATER + timedelta(seconds=seconds))
    assert tasks(public_id)[-1] == ("decline", "refused" if isinstance(found, NotThere) else "done")
    assert len({command.key for command in adapter.sent}) == 1
    assert booking_row(public_id).state == "confirmed"


def test_declining_for_a_booking_that_was_only_requested_cancels_it_and_gives_the_benefit_back() -> None:
    world, public_id = requested(quantity=1)
    told(world, public_id, proposal=proposed(world))
    decline(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=LATER)
    shown = seen(world, public_id)
    assert (shown.state, shown.cause) == ("cancelled", "proposal_declined")
    assert counters(world.entitlement.id)["available"] == 1
    assert [taken(slot) for slot in world.slots] == [0, 0, 0]
    assert len(shown.alternatives) == 2, "and other times are offered"
    assert [command for command, _ in tasks(public_id)] == ["reserve", "cancel"]


@pytest.mark.parametrize(("first", "state"), [(confirmed, "confirmed"), (requested, "cancelled")])
def test_a_proposal_that_nobody_answers_is_declined_by_the_clock(first: Any, state: str) -> None:
    world, public_id = first()
    told(world, public_id, proposal=proposed(world))
    which = proposal_of(world, public_id)
    assert expire_proposals(now=END - timedelta(seconds=1)) == 0
    assert seen(world, public_id, END).proposal is None, "over, even before the clock has come by"
    with pytest.raises(ProposalOver):
        accept(world.principal, public_id, which, now=END)
    assert (expire_proposals(now=END), expire_proposals(now=END)) == (1, 0)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=END)
    assert (booking_row(public_id).state, states(public_id)) == (state, ["lapsed"])


def test_a_proposal_that_cannot_lapse_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, fine = confirmed(), confirmed(phone="13800000029")
    for world, public_id in (broken, fine):
        told(world, public_id, proposal=proposed(world))
    lock = proposals.lock_booking
    number = booking_row(broken[1]).id

    def locked(session: Any, booking_id: int) -> Any:
        if booking_id == number:
            raise LookupError("a row that nobody expected")
        return lock(session, booking_id)

    monkeypatch.setattr(proposals, "lock_booking", locked)
    assert expire_proposals(now=END) == 1
    assert (states(broken[1]), states(fine[1])) == (["open"], ["lapsed"])


def test_while_she_has_a_proposal_the_providers_deadline_does_not_end_the_request() -> None:
    world, public_id = requested()
    with transaction() as session:
        session.execute(update(Booking).values(answer_due_at=SOON))
    told(world, public_id, proposal=proposed(world))
    assert booking_row(public_id).answer_due_at == END
    assert end_unanswered(now=END) == 0
    told(world, public_id, 3, now=END)
    assert (states(public_id), end_unanswered(now=END)) == (["withdrawn"], 1)


def test_a_newer_version_without_it_takes_it_back_and_an_older_one_does_not() -> None:
    world, public_id = confirmed()
    told(world, public_id, 5, proposal=proposed(world))
    which = proposal_of(world, public_id)
    told(world, public_id, 4)
    assert states(public_id) == ["open"]
    told(world, public_id, 6)
    assert (states(public_id), seen(world, public_id).proposal) == (["withdrawn"], None)
    assert seen(world, public_id).timeline[-1].cause == "proposal_withdrawn"
    for answer in (accept, decline):
        with pytest.raises(ProposalOver):
            answer(world.principal, public_id, which, now=SOON)
    told(world, public_id, 7, proposal=proposed(world))
    assert states(public_id) == ["withdrawn", "open"]


def test_another_proposal_takes_the_place_of_the_first() -> None:
    world, public_id = confirmed()
    told(world, public_id, 2, proposal=proposed(world))
    told(world, public_id, 3, proposal=proposed(world, 2))
    assert states(public_id) == ["withdrawn", "open"]
    assert notices(public_id).count("time_proposed") == 2


@pytest.mark.parametrize("wrong", [{"expires": SOON}, {"slot": 0}])
def test_what_cannot_be_answered_is_not_noted(wrong: dict[str, Any]) -> None:
    world, public_id = confirmed()
    assert told(world, public_id, proposal=proposed(world, **wrong)) == "applied"
    assert states(public_id) == []


def test_it_ends_with_the_booking_and_with_a_change_of_her_own() -> None:
    world, public_id = confirmed()
    told(world, public_id, proposal=proposed(world))
    reschedule(world.principal, public_id, world.slots[2].public_id, now=SOON)
    assert seen(world, public_id).proposal is None, "one question at a time"
    with reading() as session:
        which = session.scalars(select(Proposal.public_id)).one()
    with pytest.raises(NotChangeable):
        accept(world.principal, public_id, which, now=SOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=LATER)
    assert states(public_id) == ["withdrawn"]
    told(world, public_id, 4, proposal=proposed(world))
    told(world, public_id, 5, status="checked_in", now=EIGHT, proposal=proposed(world))
    assert states(public_id) == ["withdrawn", "lapsed"]


def test_a_cancel_after_accepting_ends_it_all() -> None:
    world, public_id = confirmed(quantity=1)
    told(world, public_id, proposal=proposed(world))
    accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    cancel(world.principal, public_id, now=SOON)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 3)]), now=LATER)
    assert (booking_row(public_id).state, [taken(slot) for slot in world.slots]) == ("cancelled", [0, 0, 0])
    assert counters(world.entitlement.id)["available"] == 1


def test_a_time_that_cannot_be_had_leaves_the_proposal_open() -> None:
    world, public_id = confirmed(capacity=1)
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    told(world, public_id, proposal=proposed(world))
    which = proposal_of(world, public_id)
    other.submit(1)
    with pytest.raises(SlotFull):
        accept(world.principal, public_id, which, now=SOON)
    assert (states(public_id), booking_row(public_id).starts_at) == (["open"], world.slots[0].starts_at)


def test_a_slot_that_we_do_not_know_can_be_had_once_we_do_and_one_that_moved_cannot() -> None:
    world, public_id = confirmed()
    unknown = Proposed("s-new", world.slots[1].service_date, world.slots[1].starts_at, world.slots[1].ends_at, END)
    told(world, public_id, proposal=unknown)
    which = proposal_of(world, public_id)
    with pytest.raises(SlotClosed):
        accept(world.principal, public_id, which, now=SOON)
    told(world, public_id, 4, proposal=proposed(world, starts_at=world.slots[2].starts_at, ends_at=END + timedelta(30)))
    with pytest.raises(SlotMoved):
        accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)


def test_nobody_answers_for_another_and_no_proposal_for_another_booking() -> None:
    world, public_id = confirmed()
    other = join(world.provider, world.offer, world.slots, phone="13800000022")
    told(world, public_id, proposal=proposed(world))
    which = proposal_of(world, public_id)
    theirs = other.submit(2)
    for answer in (accept, decline):
        with pytest.raises(NotFound):
            answer(other.principal, public_id, which, now=SOON)
        with pytest.raises(NotFound):
            answer(other.principal, theirs, which, now=SOON)
    assert states(public_id) == ["open"]


def test_allotted_places_are_switched_at_once() -> None:
    world, public_id = confirmed(allotment=True)
    told(world, public_id, proposal=proposed(world))
    accept(world.principal, public_id, proposal_of(world, public_id), now=SOON)
    assert booking_row(public_id).starts_at == world.slots[1].starts_at
    assert ([taken(slot) for slot in world.slots], states(public_id)) == ([0, 1, 0], ["accepted"])
    assert tasks(public_id)[-1] == ("change", "queued")


def test_a_proposal_is_no_difference() -> None:
    world, public_id = confirmed()
    row = booking_row(public_id)
    message = remote(
        public_id,
        "confirmed",
        2,
        service_date=row.service_date,
        starts_at=row.starts_at,
        proposal=proposed(world),
    )
    told(world, public_id, proposal=proposed(world))
    ours = Ours(public_id, row.state, row.service_date, row.starts_at, {"R-1": "current"})
    assert compare([ours], [message]) == []
    with reading() as session:
        assert session.query(Discrepancy).count() + session.query(ChangeRequest).count() == 0
