"""What a delivered file leaves out, what can't be fetched, and what can't wait is said to the customer and the desk."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.discrepancies import Discrepancy
from booking.notices.models import Notification
from booking.reports.box import report
from booking.reports.fetch import MOST_TRIES, announce
from booking.reports.intake.fhir import examine
from booking.reports.intake.findings import FHIR, Refused
from booking.reports.models import ReportVersion
from marketplace.core.database.db import reading, transaction
from providers.reported import ReportItem
from tests.people import NOON
from tests.reports import ITEMS, LATER, content, deliver, fetch, listed
from tests.world import World, make_world

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def world() -> World:
    return make_world()


def observation(name: str, number: float, **more: Any) -> dict[str, Any]:
    value = {"value": number, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}
    return {"resourceType": "Observation", "id": name, "status": "final", "code": {"text": name},
            "valueQuantity": value, **more}  # fmt: skip


def bundle(*reports: dict[str, Any], known: tuple[dict[str, Any], ...] = ()) -> bytes:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": {"resourceType": "DiagnosticReport", "status": "final", **one}}
               for n, one in enumerate(reports)]  # fmt: skip
    entries += [{"fullUrl": f"https://lis.example/fhir/Observation/{one['id']}", "resource": one} for one in known]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def cases() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


def told() -> list[str]:
    with reading() as session:
        kinds = session.scalars(select(Notification.kind).order_by(Notification.id))
        return [kind for kind in kinds if kind.startswith("report_")]


def test_a_versioned_reference_is_found_and_one_to_nothing_is_counted() -> None:
    file = bundle(
        {"result": [{"reference": "Observation/k/_history/1"}, {"reference": "Observation/gone"}]},
        known=(observation("k", 4.1),),
    )
    found = examine(file)
    assert ([item["name"] for item in found.items], found.missing) == (["k"], 1)


def test_reports_of_one_person_are_one_with_the_name_of_each_panel() -> None:
    found = examine(
        bundle(
            {"code": {"text": "生化"}, "result": [{"reference": "Observation/k"}]},
            {"code": {"text": "腹部超声"}, "conclusion": "未见异常"},
            known=(observation("k", 4.1),),
        )
    )
    assert [(item["name"], item["section"]) for item in found.items] == [("k", "生化")]
    assert found.conclusion == "腹部超声: 未见异常"


def test_reports_of_two_people_are_refused() -> None:
    two = [{"conclusion": "x", "subject": {"reference": f"Patient/{one}"}} for one in ("a", "b")]
    with pytest.raises(Refused, match="fhir_two_persons"):
        examine(bundle(*two))
    assert examine(bundle(two[0], two[0])).conclusion


def test_a_paper_that_is_text_is_left_out_and_the_results_are_kept() -> None:
    form = {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode("体检报告".encode()).decode()}
    found = examine(bundle({"result": [{"reference": "Observation/k"}], "presentedForm": [form]},
                           known=(observation("k", 4.1),)))  # fmt: skip
    assert (len(found.items), found.papers, found.left_out) == (1, (), 1)


def test_a_number_sent_as_text_is_read_and_the_rest_kept() -> None:
    odd = observation("k", 0) | {"valueQuantity": {"value": "4.1", "unit": "mmol/L"}}
    refs = [{"reference": "Observation/k"}, {"reference": "Observation/g"}]
    found = examine(bundle({"result": refs}, known=(odd, observation("g", 5.1))))
    assert [item["value"] for item in found.items] == ["4.1", "5.1"]


def test_why_there_is_no_result_is_the_result() -> None:
    absent = observation("k", 0, dataAbsentReason={"text": "标本溶血"})
    del absent["valueQuantity"]
    found = examine(bundle({"result": [{"reference": "Observation/k"}]}, known=(absent,)))
    assert [item["value"] for item in found.items] == ["not tested: 标本溶血"]


def test_gaps_are_told_to_customer_and_desk(world: World) -> None:
    file = bundle({"result": [{"reference": "Observation/k"}, {"reference": "Observation/gone"}]},
                  known=(observation("k", 4.1),))  # fmt: skip
    public_id = deliver(world, world.submit(), items=(), document=file, document_type=FHIR)
    view = report(world.principal, public_id, now=LATER)
    assert (view.missing, view.left_out, len(view.results)) == (1, 0, 1)
    assert cases() == ["report_incomplete"]


def test_a_critical_result_is_told_at_once_and_stands_first(world: World) -> None:
    items = (*ITEMS, ReportItem("钾", "7.2", "2823-3", "mmol/L", mark="H*"))
    public_id = deliver(world, world.submit(), items=items)
    first = report(world.principal, public_id, now=LATER).results[0]
    assert (first.name, first.critical, first.judged) == ("钾", True, "high")
    assert told() == ["report_critical"] and cases() == ["report_critical"]


def test_the_same_report_delivered_again_is_no_correction(world: World) -> None:
    booking = world.submit()
    public_id = deliver(world, booking)
    remote = listed(world, booking, version=2)
    with transaction() as session:
        announce(session, world.provider.id, remote, now=LATER)
    assert fetch(world, content(remote)) == {"known": 1}
    with reading() as session:
        assert list(session.scalars(select(ReportVersion.version))) == [1]
    assert told() == ["report_ready"]
    assert fetch(world, content(remote), now=LATER + timedelta(days=1)) == {}
    assert report(world.principal, public_id, now=LATER).version == 1


def test_after_six_tries_a_person_is_asked_and_the_customer_told(world: World) -> None:
    remote = listed(world, world.submit())
    with transaction() as session:
        announce(session, world.provider.id, remote, now=NOON)
    for number in range(1, MOST_TRIES + 1):
        assert cases() == [] and told() == []
        assert fetch(world, now=NOON + timedelta(hours=number)) == {"failed": 1}
    assert (cases(), told()) == (["report_not_fetched"], ["report_unreadable"])
    fetch(world, content(remote), now=NOON + timedelta(days=1))
    assert cases() == []
