"""Forty want one slot of a FHIR server: one has it, and nothing of the others is left there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from providers.adapters.fhir.adapter import Fhir
from providers.adapters.fhir.commands import Commands
from providers.port import Answer, Confirmed, Refused, Reserve
from tests.fhir_servers import FhirTenant
from tests.providers.fhir.conftest import Meanwhile
from tests.providers.fhir.wishes import wish

RIVALS = 40


def race(hospital: FhirTenant, wishes: Sequence[Reserve]) -> list[Answer]:
    """All at once, each with an adapter of its own."""
    start = Barrier(len(wishes))

    def one(wanted: Reserve) -> Answer:
        adapter = hospital.adapter()
        start.wait(30)
        return adapter.reserve(wanted)

    with ThreadPoolExecutor(len(wishes)) as pool:
        return list(pool.map(one, wishes))


@pytest.mark.parametrize("transactions", [False, True])
def test_one_of_forty_has_the_slot_and_nothing_of_the_others_is_left(
    hospital: FhirTenant, slots: list[str], transactions: bool
) -> None:
    hospital.configure(transactions=transactions)
    wishes = [wish(hospital, slots[0]) for _ in range(RIVALS)]
    answers = race(hospital, wishes)
    kinds = Counter(type(answer) for answer in answers)
    assert kinds == {Confirmed: 1, Refused: RIVALS - 1}, answers
    winner = next(wanted for wanted, answer in zip(wishes, answers, strict=True) if isinstance(answer, Confirmed))
    [there] = hospital.live()
    assert there["identifier"][0]["value"] == winner.our_reference
    slot = hospital.get("Slot", slots[0])
    assert (slot["status"], slot["identifier"][0]["value"]) == ("busy", winner.our_reference)
    left = [each for each in hospital.all("Appointment") if each["id"] != there["id"]]
    assert all(each["status"] == "entered-in-error" and "contained" not in each for each in left)


def test_without_the_version_of_the_slot_two_have_it(
    hospital: FhirTenant, adapter: Fhir, slots: list[str], meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is `ifMatch` that lets one win, and not this server."""
    real = Commands._entries

    def careless(self: Commands, *args: Any) -> list[dict[str, Any]]:
        entries = real(self, *args)
        del entries[0]["request"]["ifMatch"]
        return entries

    monkeypatch.setattr(Commands, "_entries", careless)
    rivals: list[Answer] = []
    meanwhile(lambda: rivals.append(hospital.adapter().reserve(wish(hospital, slots[0]))))
    answer = adapter.reserve(wish(hospital, slots[0]))
    assert isinstance(answer, Confirmed) and isinstance(rivals[0], Confirmed)
    assert len(hospital.live()) == 2
