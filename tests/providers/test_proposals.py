"""Another time that a provider proposes, through the adapter, against the real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers.adapters.open_protocol import OpenProtocol
from providers.adapters.open_wire import read_booking
from providers.port import Accepted, Confirmed, ProviderError, Refused, Unknown
from providers.reported import RemoteBooking, RemoteSlot
from tests.providers.wishes import bookable, by_key, cancel, change, decline, reserve
from tests.sandboxes import Sandbox, account, eventually, start_sandbox


def found(adapter: OpenProtocol, wish: Any) -> RemoteBooking:
    told = adapter.look_up(by_key(wish))
    assert isinstance(told, RemoteBooking)
    return told


def test_a_proposal_is_told_with_a_new_version_and_declined_once(sandbox: Sandbox, slot: RemoteSlot) -> None:
    adapter, wish = OpenProtocol(sandbox.connection()), reserve(slot)
    booked, other = adapter.reserve(wish), bookable(adapter, 510)
    assert isinstance(booked, Confirmed) and found(adapter, wish).proposal is None
    sandbox.control().propose(booked.reference, other.reference, reason="设备检修")
    told = found(adapter, wish)
    assert told.proposal is not None and (told.version, told.status, told.starts_at) == (2, "confirmed", slot.starts_at)
    assert (told.proposal.slot, told.proposal.starts_at, told.proposal.reason) == (
        other.reference,
        other.starts_at,
        "设备检修",
    )
    no = decline(wish, booked.reference, other.reference)
    assert adapter.decline(no) == adapter.decline(no) == Confirmed(booked.reference, 3, slot.starts_at)
    assert (found(adapter, wish).proposal, found(adapter, wish).version) == (None, 3)
    again = decline(wish, booked.reference, "another slot")
    assert isinstance(adapter.decline(again), Confirmed), "what is over is left alone"
    assert adapter.decline(decline(wish, "none", "a third")) == Refused("other")


def test_accepting_is_a_change_that_confirms_what_was_only_requested(sandbox: Sandbox, slot: RemoteSlot) -> None:
    sandbox.control("deliberate").settings(confirm_after=30)
    adapter, wish = OpenProtocol(sandbox.connection("deliberate")), reserve(slot)
    booked, other = adapter.reserve(wish), bookable(adapter, 511)
    sandbox.control("deliberate").settings(confirm_after=0.3)
    assert isinstance(booked, Accepted)
    sandbox.control("deliberate").propose(booked.reference, other.reference)
    assert adapter.change(change(wish, booked.reference, other)) == Confirmed(booked.reference, 3, other.starts_at)
    told = found(adapter, wish)
    assert (told.status, told.starts_at, told.proposal) == ("confirmed", other.starts_at, None)


def test_a_change_to_another_time_than_the_proposed_one_confirms_nothing(sandbox: Sandbox, slot: RemoteSlot) -> None:
    sandbox.control("deliberate").settings(confirm_after=30)
    adapter, wish = OpenProtocol(sandbox.connection("deliberate")), reserve(slot)
    booked = adapter.reserve(wish)
    sandbox.control("deliberate").settings(confirm_after=0.3)
    assert isinstance(booked, Accepted)
    sandbox.control("deliberate").propose(booked.reference, bookable(adapter, 512).reference)
    answer = adapter.change(change(wish, booked.reference, bookable(adapter, 513)))
    assert isinstance(answer, Accepted), "requested there is no yes"


@pytest.mark.parametrize("end", ["withdraw", "lapse", "cancel"])
def test_it_ends_by_the_provider_the_clock_or_with_the_booking(sandbox: Sandbox, slot: RemoteSlot, end: str) -> None:
    adapter, wish, control = OpenProtocol(sandbox.connection()), reserve(slot), sandbox.control()
    booked = adapter.reserve(wish)
    assert isinstance(booked, Confirmed)
    control.propose(booked.reference, bookable(adapter, 514).reference, seconds=0.3 if end == "lapse" else 60)
    if end == "withdraw":
        control.withdraw_proposal(booked.reference)
    elif end == "cancel":
        adapter.cancel(cancel(wish, booked.reference))
    eventually(lambda: found(adapter, wish).proposal is None)
    assert found(adapter, wish).version == 3


def test_a_decline_that_was_carried_out_without_an_answer_is_found_by_its_key(
    sandbox: Sandbox, hasty: OpenProtocol, slot: RemoteSlot
) -> None:
    wish, other = reserve(slot), bookable(hasty, 515)
    booked = hasty.reserve(wish)
    assert isinstance(booked, Confirmed)
    sandbox.control().propose(booked.reference, other.reference)
    sandbox.control().fault("commit_then_drop", "decline")
    no = decline(wish, booked.reference, other.reference)
    assert isinstance(hasty.decline(no), Unknown)
    told = hasty.look_up(by_key(reserve(slot, key=no.key, our_reference=wish.our_reference)))
    assert isinstance(told, RemoteBooking) and told.proposal is None


def test_proposals_survive_kill_9(tmp_path: Path) -> None:
    own = start_sandbox(tmp_path / "own", [account("prompt", "prompt")])
    try:
        adapter = OpenProtocol(own.connection())
        kept, ended = reserve(bookable(adapter, 3)), reserve(bookable(adapter, 4))
        for wish in (kept, ended):
            booked = adapter.reserve(wish)
            assert isinstance(booked, Confirmed)
            own.control().propose(booked.reference, bookable(adapter, 5).reference)
            if wish is ended:
                adapter.decline(decline(wish, booked.reference, bookable(adapter, 5).reference))
        own.kill()
        own.restart()
        assert found(adapter, kept).proposal is not None and found(adapter, ended).proposal is None
    finally:
        own.kill()


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda proposal: proposal.pop(name)


@pytest.mark.parametrize(
    "spoil",
    [
        _without("slot"),
        _without("service_date"),
        _without("expires_at"),
        _without("ends_at"),
        lambda proposal: proposal.update(expires_at="2026-03-10T08:00:00"),
        lambda proposal: proposal.update(ends_at=proposal["starts_at"]),
        lambda proposal: proposal.update(reason="\0"),
        lambda proposal: proposal.update(slot="x" * 256),
    ],
)
def test_a_proposal_that_is_none_is_an_error_of_the_provider(spoil: Callable[[dict[str, Any]], Any]) -> None:
    proposal = {
        "slot": "S",
        "service_date": "2026-03-11",
        "starts_at": "2026-03-11T08:00:00+08:00",
        "ends_at": "2026-03-11T08:30:00+08:00",
        "expires_at": "2026-03-10T08:00:00Z",
    }
    booking = {"reference": "R", "our_reference": "B", "status": "confirmed", "version": 2, "proposal": proposal}
    assert read_booking(booking).proposal is not None
    spoil(proposal)
    with pytest.raises(ProviderError):
        read_booking(booking)
    with pytest.raises(ProviderError):
        read_booking({**booking, "proposal": "tomorrow"})
    assert read_booking({**booking, "proposal": None}).proposal is None
