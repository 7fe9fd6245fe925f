"""Deliveries in the shape of faults that users of other systems reported, from file to what customer and desk see."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from booking.discrepancies import Discrepancy
from booking.notices.models import Notification
from booking.reports.box import ReportView, report
from booking.reports.fetch import announce
from booking.reports.intake.fhir import examine
from booking.reports.intake.findings import FHIR, Findings, Refused
from booking.reports.reading.read import Reading, read_all
from booking.reports.reading.told import Whose
from marketplace.core.database.db import reading, transaction
from providers.adapters.checkup_wire import read_item
from tests.reports import LATER, content, deliver, fetch, listed
from tests.world import World, make_world

MAN = Whose("male", date(1980, 1, 1), date(2026, 6, 1))
WOMAN = Whose("female", date(1980, 1, 1), date(2026, 6, 1))
SNOMED = "http://snomed.info/sct"
V2 = "http://terminology.hl7.org/CodeSystem/v2-0078"
V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"

Resource = dict[str, Any]


def quantity(value: Any, unit: str, **more: Any) -> Resource:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit, **more}


def observation(name: str, *, loinc: str = "", mark: str = "", system: str = V3, **parts: Any) -> Resource:
    marked = {"interpretation": [{"coding": [{"system": system, "code": mark}]}]} if mark else {}
    coded = {"coding": [{"system": "http://loinc.org", "code": loinc}]} if loinc else {}
    code = {"text": name, **coded}
    return {"resourceType": "Observation", "id": name, "status": "final", "code": code, **marked, **parts}


def bundle(*observations: Resource, refer: Mapping[str, str] | None = None, **more: Any) -> bytes:
    """A Bundle with one report of these; `refer` gives other addresses than the usual ones, or ones to nothing."""
    addresses = {one["id"]: f"Observation/{one['id']}" for one in observations} | dict(refer or {})
    first = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "体检"}, **more}
    references = [{"reference": address} for address in addresses.values()]
    return packed({**first, "result": references}, *observations)


def packed(*resources: Resource) -> bytes:
    entries = [
        {"fullUrl": f"https://lis.example/fhir/{one['resourceType']}/{one['id']}", "resource": one} for one in resources
    ]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def results(found: Findings, whose: Whose) -> dict[str, Reading]:
    return {one.name: one for one in read_all({"items": found.items}, whose, {})}


def judged(file: bytes, whose: Whose = MAN) -> dict[str, str]:
    return {name: one.judged for name, one in results(examine(file), whose).items()}


def row(name: str, result: str, reference: str, mark: str, unit: str = "") -> Reading:
    """A result of the day-capacity interface."""
    body = {"itemName": name, "result": result, "unit": unit, "refRange": reference, "mark": mark}
    return read_all({"items": [vars(read_item(body))]}, MAN, {})[0]


# --- marks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "result", "reference", "unit", "verdict"),
    [
        ("白细胞计数", "14.8", "3.5-9.5", "10^9/L", "high"),
        ("血红蛋白", "91", "130--175", "g/L", "low"),
        ("乙肝表面抗原", "阳性(+)", "阴性", "", "abnormal"),
        ("尿蛋白", "3+", "阴性", "", "abnormal"),
        ("血小板", "210", "125-350", "10^9/L", "normal"),
    ],
)
def test_a_blank_mark_is_nothing_said_and_range_or_words_judge(
    name: str, result: str, reference: str, unit: str, verdict: str
) -> None:
    told = row(name, result, reference, "", unit)
    assert told.judged == verdict
    assert told.judged_by in ("provider_range", "provider_words") and told.flag == ""


@pytest.mark.parametrize("mark", ["N", "n", "正常", "-"])
def test_marks_for_normal_are_normal(mark: str) -> None:
    told = row("空腹血糖", "5.2", "3.9-6.1", mark, "mmol/L")
    assert (told.judged, told.judged_by) == ("normal", "provider_flag")


@pytest.mark.parametrize(
    ("mark", "system", "value", "verdict"),
    [
        ("POS", V3, {"valueString": "反应性"}, "abnormal"),
        ("DET", V3, {"valueString": "检出"}, "abnormal"),
        ("RR", V3, {"valueString": "Reactive"}, "abnormal"),
        ("H*", V2, {"valueQuantity": quantity(7.1, "mmol/L")}, "high"),
        ("L*", V2, {"valueQuantity": quantity(2.1, "mmol/L")}, "low"),
        ("HH", V3, {"valueQuantity": quantity(7.1, "mmol/L")}, "high"),
        ("H", V2, {"valueString": "<12 IntlUnit/mL"}, "high"),
    ],
)
def test_coded_interpretations_are_the_providers_flag(mark: str, system: str, value: Resource, verdict: str) -> None:
    told = results(examine(bundle(observation("项目", mark=mark, system=system, **value))), MAN)["项目"]
    assert (told.judged, told.judged_by) == (verdict, "provider_flag")
    assert told.critical == (mark in ("H*", "L*", "HH"))


def test_off_scale_and_beyond_the_usual_range_is_high() -> None:
    above = observation("CRP", loinc="1988-5", mark=">", valueQuantity=quantity(320, "mg/L", comparator=">"))
    assert judged(bundle(above)) == {"CRP": "high"}


# --- ranges ----------------------------------------------------------------------------------------------------------


def both_sexes(female: tuple[float, float], male: tuple[float, float], unit: str) -> list[Resource]:
    ranges = []
    for sex, (low, high) in (("female", female), ("male", male)):
        whom = {"coding": [{"system": "http://hl7.org/fhir/administrative-gender", "code": sex}]}
        ranges.append({"appliesTo": [whom], "low": quantity(low, unit), "high": quantity(high, unit)})
    return ranges


def test_the_range_is_the_one_for_this_persons_sex() -> None:
    ranges = both_sexes((115, 150), (130, 175), "g/L")
    file = bundle(observation("血红蛋白", valueQuantity=quantity(158, "g/L"), referenceRange=ranges))
    assert (judged(file, MAN), judged(file, WOMAN)) == ({"血红蛋白": "normal"}, {"血红蛋白": "high"})
    his = results(examine(file), MAN)["血红蛋白"]
    assert (his.low, his.high, his.flag, his.judged_by) == (130, 175, "", "provider_range")


def test_the_range_is_the_one_for_this_persons_age() -> None:
    young = {"age": {"low": quantity(18, "a"), "high": quantity(59, "a")}, "high": quantity(8.0, "mmol/L")}
    old = {"age": {"low": quantity(60, "a")}, "high": quantity(9.5, "mmol/L")}
    file = bundle(observation("尿素", valueQuantity=quantity(9.0, "mmol/L"), referenceRange=[young, old]))
    assert judged(file, MAN) == {"尿素": "high"}
    assert judged(file, Whose("male", date(1950, 1, 1), MAN.day)) == {"尿素": "normal"}


@pytest.mark.parametrize(
    ("part", "text", "verdict"),
    [
        ({"valueQuantity": quantity(7.4, "mg/L")}, "< 5.0", "high"),
        ({"valueString": "620"}, "<30 IU/mL", "high"),
        ({"valueQuantity": quantity(3.1, "mmol/L")}, "<2.6（高危人群）", ""),
    ],
)
def test_a_range_in_words_is_read_where_it_can_be_and_never_overruled_by_ours(
    part: Resource, text: str, verdict: str
) -> None:
    file = bundle(observation("低密度脂蛋白胆固醇", loinc="2089-1", referenceRange=[{"text": text}], **part))
    told = results(examine(file), MAN)["低密度脂蛋白胆固醇"]
    assert (told.range_text, told.judged) == (text, verdict)
    assert told.judged_by in ("provider_range", "")


# --- values ----------------------------------------------------------------------------------------------------------


def test_no_value_is_lost() -> None:
    span = {"low": quantity(2, "/[HPF]"), "high": quantity(4, "/[HPF]")}
    file = bundle(
        observation("尿白细胞", valueRange=span),
        observation("尿蛋白", valueCodeableConcept={"coding": [{"system": SNOMED, "code": "10828004"}]}),
        observation("尿酮体", valueCodeableConcept={"coding": [{"system": SNOMED, "code": "999999"}]}),
        observation("钾", dataAbsentReason={"coding": [{"code": "unsatisfactory", "display": "标本溶血"}]}),
    )
    values = {name: (one.value, one.judged) for name, one in results(examine(file), WOMAN).items()}
    assert values == {
        "尿白细胞": ("2-4", ""),
        "尿蛋白": ("Positive", "abnormal"),
        "尿酮体": ("code 999999", ""),
        "钾": ("not tested: 标本溶血", ""),
    }


@pytest.mark.parametrize("number", ["4.3", " 4.3 ", "4,3", "<4.3", "见备注"])
def test_a_number_sent_as_text_stops_nothing(number: str) -> None:
    odd = observation("钾", loinc="2823-3", valueQuantity=quantity(number, "mmol/L"))
    found = results(examine(bundle(odd, sodium())), MAN)
    assert found["钠"].judged == "normal"
    assert found["钾"].value.strip() == number.strip()
    assert found["钾"].number == (None if number == "见备注" else 4.3)


# --- the file as a whole ---------------------------------------------------------------------------------------------


@pytest.fixture
def world(db: object) -> World:
    return make_world()


def sodium() -> Resource:
    return observation("钠", loinc="2951-2", valueQuantity=quantity(140, "mmol/L"))


def opened(world: World, file: bytes) -> ReportView:
    """What the customer sees of a file that came through the examiner."""
    public_id = deliver(world, world.submit(), items=(), conclusion="", document=file, document_type=FHIR)
    return report(world.principal, public_id, now=LATER)


def notices() -> list[str]:
    with reading() as session:
        kinds = session.scalars(select(Notification.kind).order_by(Notification.id))
        return [kind for kind in kinds if kind.startswith("report_")]


def cases() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))


def test_a_versioned_reference_is_resolved_and_one_to_nothing_is_said(world: World) -> None:
    refer = {"钠": "Observation/钠/_history/2", "gone": "Observation/gone"}
    view = opened(world, bundle(sodium(), refer=refer))
    assert ([one.name for one in view.results], view.missing) == (["钠"], 1)
    assert (notices(), cases()) == (["report_ready"], ["report_incomplete"])


def test_a_critical_mark_is_told_first_and_to_the_desk_at_once(world: World) -> None:
    high = observation("钾", loinc="2823-3", valueQuantity=quantity(7.0, "mmol/L"), mark="H*", system=V2)
    view = opened(world, bundle(sodium(), high))
    assert [(one.name, one.critical) for one in view.results] == [("钾", True), ("钠", False)]
    assert (notices(), cases()) == (["report_critical"], ["report_critical"])


def test_a_paper_of_another_type_is_left_out_and_said(world: World) -> None:
    paper = {"contentType": "text/plain", "data": base64.b64encode("报告".encode()).decode()}
    view = opened(world, bundle(sodium(), presentedForm=[paper]))
    assert ([one.judged for one in view.results], view.left_out) == (["normal"], 1)
    assert cases() == ["report_incomplete"]


@pytest.mark.parametrize("conclusion", ["甲状腺右叶结节 4 mm，建议复查。", "CT chest: small nodule."])
def test_a_conclusion_alone_is_the_report(world: World, conclusion: str) -> None:
    view = opened(world, bundle(conclusion=conclusion))
    assert (view.conclusion, list(view.results)) == (conclusion, [])
    assert notices() == ["report_ready"]


def panels(*people: str) -> bytes:
    parts: tuple[Resource, ...] = ({"result": [{"reference": "Observation/钠"}]}, {"conclusion": "未见异常"})
    reports = [
        {
            "resourceType": "DiagnosticReport",
            "id": title,
            "status": "final",
            "code": {"text": title},
            "subject": {"reference": f"Patient/{person}"},
            **part,
        }
        for person, title, part in zip(people, ("电解质", "腹部超声"), parts, strict=True)
    ]
    return packed(*reports, sodium())


def test_several_reports_of_one_person_are_merged_each_panel_with_its_name(world: World) -> None:
    view = opened(world, panels("a", "a"))
    assert [(one.section, one.name) for one in view.results] == [("电解质", "钠")]
    assert view.conclusion == "腹部超声: 未见异常"


def test_reports_of_two_persons_are_refused_and_before_a_person(world: World) -> None:
    with pytest.raises(Refused, match="fhir_two_persons"):
        examine(panels("a", "b"))
    remote = listed(world, world.submit())
    with transaction() as session:
        announce(session, world.provider.id, remote, now=LATER)
    both = content(remote, items=(), document=panels("a", "b"), document_type=FHIR)
    assert fetch(world, both) == {"refused": 1}
    assert cases() == ["report_refused"]
