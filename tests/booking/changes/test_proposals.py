"""Another time that the provider proposes: the customer takes it or keeps her date."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from booking.changes import proposals
from booking.changes.proposals import ProposalOver, accept, decline, expire_proposals
from booking.discrepancies import Discrepancy
from booking.messages.freshness import stale
from booking.models import Booking
from booking.notices.models import Notification
from marketplace.core.database.db import reading, transaction
from providers.port import Confirmed, Decline, Refused, Unknown
from providers.port import NotFound as NotThere
from providers.reported import RemoteBooking
from tests.booking.changes.proposing import (
    END,
    LATER,
    SOON,
    confirmed,
    notices,
    proposal_of,
    proposed,
    requested,
    seen,
    states,
    told,
)
from tests.people import counters
from tests.world import FakeAdapter, booking_row, one_pass, remote, taken, tasks

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.quick]


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
