"""Our own range judges only where its source is known, in the source's unit, and beyond what methods differ by."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import pytest

from booking.reports.reading.read import Reading, delivered, read
from booking.reports.reading.told import Whose
from booking.reports.reading.vocabulary import FILE, vocabulary
from providers.reported import ReportItem

WOMAN = Whose("female", date(1985, 4, 12), date(2026, 6, 1))
MAN = Whose("male", date(1980, 4, 12), date(2026, 6, 1))


def told(name: str, value: str, unit: str, whose: Whose = WOMAN, mark: str = "") -> Reading:
    return read(delivered(asdict(ReportItem(name, value, unit=unit, mark=mark))), whose, {})


def test_every_source_is_named_in_both_languages_and_used() -> None:
    sources = json.loads(FILE.read_text(encoding="utf-8"))["sources"]
    used = {known.source for item in vocabulary().items.values() for known in item.ranges} - {""}
    assert used == set(sources)
    assert all(names["zh"] and names["en"] for names in sources.values())


@pytest.mark.parametrize(
    ("name", "value", "unit", "judged"),
    [
        ("白蛋白", "37", "g/L", "low"),
        ("白蛋白", "3.7", "g/dL", ""),
        ("血红蛋白", "10.8", "g/dL", ""),
        ("血红蛋白", "108", "g/L", "low"),
        ("白细胞", "12.1", "10^3/uL", "high"),
        ("肌酐", "0.9", "mg/dL", ""),
        ("胆固醇", "182", "mg/dL", ""),
        ("尿素氮", "16", "mg/dL", ""),
    ],
)
def test_a_figure_in_another_unit_than_the_sources_gets_no_verdict(
    name: str, value: str, unit: str, judged: str
) -> None:
    assert told(name, value, unit).judged == judged


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("尿酸", "400", "μmol/L"),
        ("促甲状腺激素", "5.2", "mIU/L"),
        ("尿微量白蛋白", "70", "mg/L"),
        ("直接胆红素", "6", "μmol/L"),
        ("脉搏", "56", "次/分"),
        ("癌胚抗原", "5.5", "ng/mL"),
    ],
)
def test_what_laboratories_usually_print_is_shown_and_judges_nothing(name: str, value: str, unit: str) -> None:
    found = told(name, value, unit)
    assert found.judged == ""
    assert (found.our_low, found.our_high) != (None, None)


@pytest.mark.parametrize(
    ("name", "value", "unit", "judged"),
    [
        ("eGFR", "95", "ml/min/1.73m2", "normal"),
        ("eGFR", "87", "ml/min/1.73m2", ""),
        ("eGFR", "60", "ml/min/1.73m2", ""),
        ("eGFR", "45", "ml/min/1.73m2", "low"),
        ("ALT", "40", "U/L", "normal"),
        ("ALT", "44", "U/L", ""),
        ("ALT", "46", "U/L", "high"),
        ("空腹血糖", "3.2", "mmol/L", ""),
        ("空腹血糖", "2.5", "mmol/L", "low"),
        ("空腹血糖", "6.1", "mmol/L", ""),
        ("空腹血糖", "6.2", "mmol/L", "high"),
        ("总胆固醇", "5.2", "mmol/L", ""),
        ("总胆固醇", "5.3", "mmol/L", "high"),
        ("总胆固醇", "5.1", "mmol/L", "normal"),
    ],
)
def test_between_a_bound_and_what_is_sure_nobody_tells(name: str, value: str, unit: str, judged: str) -> None:
    assert told(name, value, unit).judged == judged


def test_what_the_instrument_could_not_measure_is_high_if_any_usual_range_ends_below_it() -> None:
    assert told("CRP", ">300", "mg/L", mark=">").judged == "high"
    assert told("CRP", ">300", "mg/L").judged == ""
    assert told("CRP", "<1", "mg/L", mark="<").judged == ""
    assert told("PSA", "<0.01", "ng/mL", MAN, mark="<").judged == ""


@pytest.mark.parametrize(
    ("item", "loinc", "name", "unit", "ours"),
    [
        ("d_dimer_feu", "48065-7", "D-二聚体", "mg/L", 0.6),
        ("d_dimer_feu", "", "D-二聚体", "mg/L FEU", 0.6),
        ("d_dimer_feu", "", "D-Dimer (FEU)", "ug/mL", 0.6),
        ("d_dimer_ddu", "48066-5", "D-dimer", "mg/L", 0.6),
        ("d_dimer_ddu", "", "D-二聚体", "mg/L{DDU}", 0.6),
        ("d_dimer", "", "D-二聚体", "mg/L", None),
        ("d_dimer", "48065-7", "D-二聚体", "mg/L DDU", None),
        ("d_dimer", "48066-5", "D-dimer", "mg/L FEU", None),
    ],
)
def test_d_dimer_in_one_count_is_never_compared_with_the_other(
    item: str, loinc: str, name: str, unit: str, ours: float | None
) -> None:
    found = read(delivered(asdict(ReportItem(name, "0.6", loinc, unit))), WOMAN, {})
    assert (found.item, found.our_value, found.judged) == (item, ours, "")
