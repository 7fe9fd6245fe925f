"""Results of several reports read together: in one unit, over the years, side by side; and whose they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from booking.models import Booking
from booking.reports.box import report, reports
from booking.reports.comparison import compare
from booking.reports.reading.codes import map_codes
from booking.reports.reading.read import read
from booking.reports.reading.told import Delivered, Whose
from booking.reports.trend import trend
from booking.states import BookingState
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound
from providers.reported import ReportItem
from tests.people import NOON, self_of
from tests.reports import ITEMS, LATER, deliver, looks
from tests.world import World, go, join, make_world
from vip.customers.consent import ConsentMissing
from vip.customers.family import NewMember, add_member

LDL = "低密度脂蛋白胆固醇"
WOMAN = Whose("female", date(1988, 4, 12), date(2026, 3, 10))


def result(name: str, value: str, unit: str = "", **more: object) -> Delivered:
    given = {"loinc": "", "low": None, "high": None, "flag": "", "section": "", "note": "", **more}
    return Delivered(name=name, value=value, unit=unit, **given)  # type: ignore[arg-type]


# --- one result ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "judged", "by"),
    [
        (result("ALT", "60", "U/L", flag="normal", high=50.0, mark="N"), "", ""),
        (result("ALT", "45", "U/L", flag="normal", high=50.0, mark="N"), "normal", "provider_flag"),
        (result("ALT", "60", "U/L", high=70.0), "normal", "provider_range"),
        (result("ALT", "60", "U/L", high=50.0), "high", "provider_range"),
        (result("ALT", "60 ↑", "U/L"), "high", "provider_flag"),
        (result("ALT", "62", "U/L"), "high", "our_range"),
        (result("ALT", "39", "IU/L"), "normal", "our_range"),
        (result("甘油三酯", "<0.5", "mmol/L"), "normal", "our_range"),
        (result("甘油三酯", ">10", "mmol/L"), "high", "our_range"),
        (result("尿蛋白", "阴性(-)"), "normal", "our_range"),
        (result("尿蛋白", "弱阳性（±）"), "abnormal", "our_range"),
        (result("尿蛋白", "+"), "abnormal", "our_range"),
        (result("ALT", "45", "furlong"), "", ""),
        (result("ALT", "45"), "", ""),
        (result("心肺耐力", "良好"), "", ""),
        (result("心肺耐力", "12", low=15.0), "low", "provider_range"),
        (result("ALT", "60", "U/L", flag="<b>"), "", ""),
    ],
)
def test_the_providers_word_wins_and_ours_stands_in(given: Delivered, judged: str, by: str) -> None:
    told = read(given, WOMAN, {})
    assert (told.judged, told.judged_by) == (judged, by)
    assert (told.name, told.value, told.unit) == (given.name, given.value, given.unit), "as delivered"


def test_our_range_is_for_the_age_on_the_day_of_the_check() -> None:
    given = result("肌酐", "100", "μmol/L")
    before = read(given, Whose("male", date(1966, 3, 11), date(2026, 3, 10)), {})
    after = read(given, Whose("male", date(1966, 3, 10), date(2026, 3, 10)), {})
    assert (before.judged, after.judged) == ("high", "normal")
    assert read(given, Whose("male", date(2016, 3, 10), date(2026, 3, 10)), {}).judged == ""


# --- several ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(db: object) -> World:
    return make_world(quantity=4)


def on(booking: str, day: date) -> str:
    with transaction() as session:
        session.execute(update(Booking).where(Booking.public_id == booking).values(service_date=day))
    return booking


def two_years(world: World) -> tuple[str, str]:
    """Last year's report in milligrams and with names alone, this year's in millimoles and with LOINC codes."""
    old = (
        ReportItem(LDL, "141", unit="mg/dl", high=131.0, section="血脂"),
        ReportItem("血糖", "5.0", unit="mmol/L"),
        ReportItem("eGFR(MDRD)", "95", unit="ml/min/1.73m2"),
        ReportItem("心电图", "窦性心律"),
        ReportItem("心肺耐力", "12"),
    )
    new = (*ITEMS, ReportItem("eGFR(CKD-EPI)", "101", unit="ml/min/1.73m2"), ReportItem("心肺耐力", "12"))
    last = deliver(world, on(world.submit(0), date(2025, 3, 8)), items=old)
    return last, deliver(world, on(world.submit(1), date(2026, 3, 10)), items=new, reference="RR-2")


def test_a_trend_stands_in_one_unit_across_reports(world: World) -> None:
    last, this = two_years(world)
    found = trend(world.principal, "ldl", self_of(world.customer).public_id, now=LATER)
    assert [(point.report_id, point.reading.value, point.reading.unit) for point in found.points] == [
        (last, "141", "mg/dl"),
        (this, "3.92", "mmol/L"),
    ]
    assert [round(point.reading.our_value or 0, 2) for point in found.points] == [3.65, 3.92]
    assert [point.reading.converted for point in found.points] == [True, False]
    assert (found.low, found.high, found.range_from) == (None, 3.4, "provider")
    assert looks(last) == looks(this) == ["report.trend_viewed"]


def test_other_methods_and_units_stand_apart_with_the_reason(world: World) -> None:
    two_years(world)
    me = self_of(world.customer).public_id
    found = trend(world.principal, "egfr", me, now=LATER)
    assert [point.reading.variant for point in found.points] == ["ckd_epi"]
    assert [(point.reading.variant, point.apart) for point in found.apart] == [("mdrd", "method")]
    odd = tuple(
        ReportItem("Lp(a)", value, unit=unit) for value, unit in (("50", "nmol/L"), ("<20", "mg/L"), ("250", "mg/L"))
    )
    deliver(world, world.submit(2), items=odd, reference="RR-3")
    found = trend(world.principal, "lp_a", me, now=LATER)
    assert [point.reading.value for point in found.points] == ["250"]
    assert {point.reading.value: point.apart for point in found.apart} == {"50": "unit", "<20": "limit"}


def test_a_trend_of_words_has_no_line(world: World) -> None:
    two_years(world)
    found = trend(world.principal, "ecg", self_of(world.customer).public_id, now=LATER)
    assert found.points == [] and [point.apart for point in found.apart] == ["words", "words"]


def test_a_trend_is_of_ones_own_family_and_of_a_known_item(world: World) -> None:
    last, _this = two_years(world)
    me = self_of(world.customer).public_id
    other = join(world.provider, world.offer, world.slots, phone="13800000051").principal
    for who, item, person in (
        (other, "ldl", me),
        (world.principal, "no-such-item", me),
        (world.principal, "ldl", "ben_00000000000000000000"),
        (world.principal, "afp", me),
    ):
        with pytest.raises(NotFound):
            trend(who, item, person, now=LATER)
    assert looks(last) == []


def test_two_reports_are_aligned_and_their_difference_told(world: World) -> None:
    last, this = two_years(world)
    found = compare(world.principal, this, last, now=LATER)
    assert (found.earlier.id, found.later.id) == (last, this), "by the day of the check, whatever was asked first"
    how = {(pair.later or pair.earlier).name: pair.how for pair in found.pairs if pair.later or pair.earlier}  # type: ignore[union-attr]
    assert how[LDL] == "higher" and how["心电图"] == "changed" and how["心肺耐力"] == "same"
    assert how["血糖"] == "only_earlier" and how["血红蛋白"] == "only_later"
    assert how["eGFR(MDRD)"] == "only_earlier" and how["eGFR(CKD-EPI)"] == "only_later"
    (ldl,) = (pair for pair in found.pairs if pair.later and pair.later.item == "ldl")
    assert (round(ldl.difference or 0, 2), ldl.unit) == (0.27, "mmol/L")
    assert looks(last) == looks(this) == ["report.compared"]


def test_only_two_reports_of_one_person_of_ones_own_are_compared(world: World) -> None:
    last, this = two_years(world)
    child = add_member(world.principal, NewMember("daughter", "陆小满", "female", date(2019, 5, 21)), NOON)
    asked = world.hold(2, beneficiary=child.public_id)
    go(asked, BookingState.AWAITING_PROVIDER)
    hers = deliver(world, asked, reference="RR-9")
    stranger = join(world.provider, world.offer, world.slots, phone="13800000052").principal
    with pytest.raises(NotFound):
        compare(stranger, last, this, now=LATER)
    with pytest.raises(Invalid) as same:
        compare(world.principal, last, last, now=LATER)
    assert same.value.facts["reason"] == "same_report"
    with pytest.raises(Invalid) as other:
        compare(world.principal, last, hers, now=LATER)
    assert (other.value.at, other.value.facts["reason"]) == ("b", "other_person")
    assert looks(last) == looks(this) == looks(hers) == []


def test_reports_of_an_adult_who_has_not_agreed_are_in_no_trend(world: World) -> None:
    two_years(world)
    father = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1955, 5, 1)), NOON)
    with pytest.raises(ConsentMissing):
        trend(world.principal, "ldl", father.public_id, now=LATER)


# --- versions, parts, the list, codes --------------------------------------------------------------------------------


def test_a_correction_marks_what_it_changed_and_the_old_version_stays_readable(world: World) -> None:
    booking = world.submit()
    public_id = deliver(world, booking)
    mended = (replace(ITEMS[2], value="3.10", flag="normal"), *ITEMS[3:], ReportItem("甲胎蛋白", "2.1", unit="ng/mL"))
    deliver(world, booking, 2, items=mended, now=LATER)
    newest = report(world.principal, public_id, now=LATER)
    changed = {newest.results[place].name: change for place, change in newest.changes.by_place.items()}
    assert {name: change.kind for name, change in changed.items()} == {LDL: "changed", "甲胎蛋白": "new"}
    assert changed[LDL].before is not None and changed[LDL].before.value == "3.92"
    assert {gone.name for gone in newest.changes.removed} == {"收缩压", "总胆固醇"}
    old = report(world.principal, public_id, now=LATER, version=1)
    assert (old.version, old.newest, [it.version for it in old.versions]) == (1, 2, [2, 1])
    assert not old.changes and {it.name for it in old.results} == {it.name for it in ITEMS}
    with pytest.raises(NotFound):
        report(world.principal, public_id, now=LATER, version=3)


def test_a_partial_report_names_the_parts_that_are_still_to_come(db: object) -> None:
    parts = [("blood-count", "血常规"), ("ldl", "低密度脂蛋白"), ("chest-x-ray", "胸片"), ("internal-exam", "内科")]
    items = [{"code": code, "name_zh": zh, "name_en": code} for code, zh in parts]
    world = make_world(package={"items": items, "sex": "any", "age_min": 0, "age_max": 120})
    booking = world.submit()
    public_id = deliver(world, booking, status="partial", items=ITEMS)
    view = report(world.principal, public_id, now=LATER)
    assert [part.zh for part in view.outstanding] == ["胸片"]
    deliver(world, booking, 2, status="final", items=ITEMS, now=LATER)
    assert report(world.principal, public_id, now=LATER).outstanding == ()


def test_the_list_goes_by_the_day_of_the_check_and_narrows_to_a_person_or_year(world: World) -> None:
    this = deliver(world, on(world.submit(0), date(2026, 3, 10)))
    last = deliver(world, on(world.submit(1), date(2025, 3, 8)), reference="RR-2", now=LATER)

    def listed(**narrow: object) -> list[str]:
        page = reports(world.principal, cursor=None, limit=9, now=LATER, **narrow)  # type: ignore[arg-type]
        return [card.id for card in page.items]

    assert listed() == [this, last], "the older check came later"
    assert listed(year=2025) == [last] and listed(year=2024) == []
    assert listed(beneficiary_id=self_of(world.customer).public_id) == [this, last]
    assert listed(beneficiary_id="ben_00000000000000000000") == []
    first = reports(world.principal, cursor=None, limit=1, now=LATER)
    rest = reports(world.principal, cursor=first.next, limit=1, now=LATER)
    assert [card.id for card in (*first.items, *rest.items)] == [this, last]


def test_a_list_counts_by_our_range_where_the_provider_says_nothing(world: World) -> None:
    public_id = deliver(
        world, world.submit(), items=(ReportItem("ALT", "88", unit="U/L"), ReportItem("钾", "4.1", unit="mmol/L"))
    )
    (card,) = reports(world.principal, cursor=None, limit=9, now=LATER).items
    view = report(world.principal, public_id, now=LATER)
    assert card.abnormal == sum(it.to_look_at for it in view.results) == 1


def test_a_providers_own_codes_are_read_once_they_are_mapped(world: World, tmp_path: Path) -> None:
    public_id = deliver(world, world.submit(), items=(ReportItem("项目甲", "88", unit="U/L", code="LAB-7"),))
    assert report(world.principal, public_id, now=LATER).results[0].item == ""
    file = tmp_path / "codes.csv"
    file.write_text("code,item\nLAB-7,alt\nLAB-8,\n", encoding="utf-8")
    assert map_codes(world.provider.code, file, now=NOON) == 2
    (known,) = report(world.principal, public_id, now=LATER + timedelta(minutes=1)).results
    assert (known.item, known.mapped_by, known.judged_by) == ("alt", "code", "our_range")
    file.write_text("code,item\nLAB-7,ast\nLAB-9,no-such-item\n", encoding="utf-8")
    with pytest.raises(Invalid):
        map_codes(world.provider.code, file, now=NOON)
    assert report(world.principal, public_id, now=LATER).results[0].item == "alt", "nothing of a bad file is taken"
