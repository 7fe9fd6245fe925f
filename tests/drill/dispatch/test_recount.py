"""The recount of a dispatch: it knows nothing of the product, and finds each thing that is not as it is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from booking.escort.matching.against import Against
from booking.escort.matching.plan import Plan, plan
from drill.dispatch.country import Country, Size, make_country
from drill.dispatch.recount import ORDER, Recount
from marketplace.core.config import ROOT

COUNTRY = make_country(5, Size(120, 3, 90))
PLAN = plan(COUNTRY.requests, COUNTRY.candidates)
_SENT = sorted(PLAN.sent)
_HELPED = next(name for name, it in PLAN.nobody.items() if it.relaxation is not None)
_LOST = next(name for name, it in PLAN.nobody.items() if it.relaxation is None and len(it.missing) > 1)


def kinds(made: Plan, country: Country = COUNTRY) -> set[str]:
    requests = {each.booking: each for each in country.requests}
    return {each.kind for each in Recount(country.candidates, requests).differences(made.sent, made.nobody)}


def sent(**changes: Any) -> Plan:
    """The plan, where one who is sent is another."""
    return Plan({**PLAN.sent, _SENT[0]: replace(PLAN.sent[_SENT[0]], **changes)}, PLAN.nobody)


def nobody(booking: str, **changes: Any) -> Plan:
    """The plan, where one explanation is another."""
    return Plan(PLAN.sent, {**PLAN.nobody, booking: replace(PLAN.nobody[booking], **changes)})


def _elsewhere() -> Any:
    here = {each.booking: each.city for each in COUNTRY.requests}[_SENT[0]]
    return next(each for each in COUNTRY.candidates if each.city != here)


def _later() -> Plan:
    """A nearest change that is not the nearest."""
    found = PLAN.nobody[_HELPED].relaxation
    assert found is not None
    return nobody(_HELPED, relaxation=replace(found, could=found.could + 1))


PLANTED: list[tuple[str, Callable[[], Plan]]] = [
    ("a request is not answered once", lambda: Plan(dict(list(PLAN.sent.items())[1:]), PLAN.nobody)),
    ("a request is not answered once", lambda: Plan({**PLAN.sent, _LOST: PLAN.sent[_SENT[0]]}, PLAN.nobody)),
    ("an answer nobody asked for", lambda: Plan(PLAN.sent, {**PLAN.nobody, "bkg_x": PLAN.nobody[_LOST]})),
    ("somebody of another city or provider is sent", lambda: sent(worker=_elsewhere())),
    ("points don't add up", lambda: sent(score=1_000)),
    ("an explanation counts otherwise", lambda: nobody(_LOST, against=PLAN.nobody[_LOST].against[1:])),
    ("another change would be the nearest", _later),
    ("another change would be the nearest", lambda: nobody(_HELPED, relaxation=None)),
    ("what is missing is missing nobody", lambda: nobody(_LOST, missing=[Against.NOT_YET, Against.REPLACED])),
    ("somebody misses less", lambda: nobody(_LOST, missing=[*PLAN.nobody[_LOST].missing, Against.REPLACED])),
]


def test_it_imports_nothing_of_the_product() -> None:
    asked = "import sys, drill.dispatch.recount; print(*{name.partition('.')[0] for name in sys.modules})"
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"booking", "marketplace", "vip", "providers", "sqlalchemy"}.isdisjoint(said.stdout.split())


def test_it_agrees_with_what_the_product_did() -> None:
    assert kinds(PLAN) == set()
    assert ["other_city", *ORDER] == [str(each) for each in Against]


@pytest.mark.parametrize(("kind", "planted"), PLANTED)
def test_each_thing_that_is_not_so_is_found(kind: str, planted: Callable[[], Plan]) -> None:
    assert kind in kinds(planted())


def test_a_worker_at_two_places_is_found() -> None:
    first = PLAN.sent[_SENT[0]].worker
    everything = {name: replace(fit, worker=first) for name, fit in PLAN.sent.items()}
    assert "somebody is sent who can't be" in kinds(Plan(everything, PLAN.nobody))
