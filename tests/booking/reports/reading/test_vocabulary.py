"""The vocabulary of check-up items: complete, sound, and found under the names that reports use."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.reports.reading.units import ucum
from booking.reports.reading.vocabulary import Item, Range, fold, spellings, vocabulary
from marketplace.demo.offers import demo_packages
from providers.sandbox.reports.checkup_items import MEASURED, TOLD

STEADY = settings(derandomize=True, max_examples=60, deadline=None)
ITEMS = list(vocabulary().items.values())
NUMBERS = [item for item in ITEMS if item.form == "number"]
CONVERSIONS = [
    (item, variant, unit)
    for item in NUMBERS
    for variant in ("", *(variant.code for variant in item.variants))
    for unit in {item.unit, *item.units, *(u for v in item.variants if v.code == variant for u in v.units)}
]


def loinc_check_digit(body: str) -> int:
    """The check digit of a LOINC code (mod 10, LOINC Users' Guide, appendix C)."""
    doubled = str(int(body[::-1][::2][::-1]) * 2) + body[::-1][1::2][::-1]
    return -sum(map(int, doubled)) % 10


def names(item: Item) -> set[str]:
    return {fold(name) for name in (*item.name, *item.aliases, *(a for v in item.variants for a in v.aliases))}


# --- the list --------------------------------------------------------------------------------------------------------


def test_there_are_the_common_items_of_a_check_up() -> None:
    assert len(ITEMS) >= 200
    assert {item.group for item in ITEMS} == set(vocabulary().groups)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_every_item_is_complete_in_both_languages(item: Item) -> None:
    told = [item.name, item.meaning, *(words for words in (item.high, item.low) if words)]
    told += [variant.name for variant in item.variants]
    assert all(words.zh and words.en for words in told)
    assert not any("\u3400" <= char <= "\u9fff" for words in told for char in words.en)
    if item.code not in ("height", "weight"):
        assert item.high is not None, "somebody whose value is high or found must be told something"
    assert (item.form == "words") == bool(item.usual)
    assert bool(item.unit) == (item.form == "number")


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_no_sentence_finds_an_illness(item: Item) -> None:
    for words in (item.high, item.low):
        assert words is None or not any(claim in words.zh for claim in ("您患有", "确诊", "说明您得了"))
        assert words is None or not any(claim in words.en.lower() for claim in ("you have ", "diagnos"))


def test_codes_and_loinc_codes_stand_once_and_have_their_check_digit() -> None:
    codes = [code for item in ITEMS for code in (*item.loinc, *(c for v in item.variants for c in v.loinc))]
    assert len(codes) == len(set(codes)) > 120
    for code in codes:
        body, digit = code.split("-")
        assert loinc_check_digit(body) == int(digit), code
    assert loinc_check_digit("1742") == 6 and loinc_check_digit("4548") == 4


def test_no_name_means_two_items_of_one_specimen() -> None:
    for one, other in combinations(ITEMS, 2):
        if one.specimen == other.specimen:
            assert not names(one) & names(other), (one.code, other.code)


def overlap(one: Range, other: Range) -> bool:
    sexes = "any" in (one.sex, other.sex) or one.sex == other.sex
    first, last = sorted((one, other), key=lambda r: r.from_age)
    return sexes and (first.to_age is None or last.from_age < first.to_age)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_ranges_are_sound_and_never_overlap(item: Item) -> None:
    assert not any(overlap(*pair) for pair in combinations(item.ranges, 2))
    for known in item.ranges:
        assert known.low is not None or known.high is not None
        assert known.low is None or known.high is None or known.low < known.high
    sexes = {known.sex for known in item.ranges}
    assert sexes in (set(), {"any"}, {"male", "female"}, {"male"}, {"female"})


def test_a_range_is_chosen_by_sex_and_by_age_on_the_day() -> None:
    creatinine = vocabulary().items["creatinine"]
    chosen = [creatinine.range_for(sex, age) for sex, age in (("male", 59), ("male", 60), ("female", 60))]
    assert [(known.low, known.high) for known in chosen if known] == [(57, 97), (57, 111), (41, 81)]
    assert creatinine.range_for("male", 17) is None, "the standard is for adults"
    assert vocabulary().items["psa"].range_for("female", 50) is None


# --- units -----------------------------------------------------------------------------------------------------------


@STEADY
@given(value=st.floats(min_value=1e-3, max_value=1e5))
def test_every_unit_converts_there_and_back(value: float) -> None:
    for item, variant, unit in CONVERSIONS:
        assert ucum(unit) == unit
        conversion = item.conversion(unit, variant)
        assert conversion is not None and conversion.times > 0
        assert math.isclose(conversion.back(conversion.to(value)), value, rel_tol=1e-6, abs_tol=1e-6)
        assert conversion.to(value) < conversion.to(value * 2), "more stays more"


@pytest.mark.parametrize(
    ("code", "value", "unit", "ours"),
    [
        ("glucose_fasting", 100, "mg/dL", 5.55),
        ("tc", 200, "mg/dL", 5.17),
        ("tg", 150, "mg/dL", 1.69),
        ("creatinine", 1.0, "mg/dL", 88.4),
        ("uric_acid", 7.0, "mg/dL", 416.4),
        ("hb", 13.5, "g/dL", 135),
        ("hba1c", 48, "mmol/mol", 6.54),
        ("tbil", 1.2, "mg/dL", 20.5),
        ("ca", 9.5, "mg/dL", 2.37),
        ("ft4", 1.2, "ng/dL", 15.45),
        ("hct", 0.42, "L/L", 42),
        ("vit_d", 50, "nmol/L", 20.0),
        ("wbc", 6500, "/uL", 6.5),
    ],
)
def test_known_pairs_of_values_agree(code: str, value: float, unit: str, ours: float) -> None:
    conversion = vocabulary().items[code].conversion(unit)
    assert conversion is not None
    assert conversion.to(value) == pytest.approx(ours, rel=0.005)


def test_urea_nitrogen_in_milligrams_is_not_urea_in_milligrams() -> None:
    urea = vocabulary().items["urea"]
    as_urea, as_nitrogen = urea.conversion("mg/dL"), urea.conversion("mg/dL", "nitrogen")
    assert as_urea is not None and as_nitrogen is not None
    assert as_nitrogen.to(14) == pytest.approx(5.0, rel=0.01) and as_urea.to(30) == pytest.approx(5.0, rel=0.01)


def test_what_cannot_be_converted_is_not_converted() -> None:
    assert vocabulary().items["lp_a"].conversion("nmol/L") is None
    assert vocabulary().items["u_rbc"].conversion("/uL") is None


@pytest.mark.parametrize(
    ("spelling", "unit"),
    [
        ("×10^9/L", "10*9/L"), ("10⁹/L", "10*9/L"), ("X10E9/L", "10*9/L"), ("x 10^12 / L", "10*12/L"),
        ("μmol/L", "umol/L"), ("µmol/l", "umol/L"), ("mmol／L", "mmol/L"), ("mIU/L", "m[IU]/L"),
        ("μIU/ml", "u[IU]/mL"), ("IU/L", "U/L"), ("mmHg", "mm[Hg]"), ("次/分", "/min"), ("kg/m²", "kg/m2"),
        ("ml/min/1.73m²", "mL/min/{1.73_m2}"), ("个/HP", "/[HPF]"), ("％", "%"), ("furlong", ""), ("", ""),
    ],
)  # fmt: skip
def test_units_are_read_in_all_their_spellings(spelling: str, unit: str) -> None:
    assert ucum(spelling) == unit


# --- mapping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "section", "code"),
    [
        ("★谷丙转氨酶(ALT)", "肝功能", "alt"), ("丙氨酸氨基转移酶", "", "alt"), ("ALT", "", "alt"), ("SGPT", "", "alt"),
        ("γ-谷氨酰转肽酶测定", "", "ggt"), ("r-GT", "", "ggt"), ("γ－谷氨酰转移酶（GGT）", "", "ggt"),
        ("血清肌酐 Cr", "肾功能", "creatinine"), ("尿素", "肾功能", "urea"), ("尿酸(UA)", "肾功能", "uric_acid"),
        ("葡萄糖（GLU）", "生化", "glucose"), ("空腹血糖", "", "glucose_fasting"), ("葡萄糖", "尿常规", "u_glucose"),
        ("白细胞", "血常规", "wbc"), ("白细胞", "尿液分析", "u_leukocytes"), ("潜血", "便常规", "stool_blood"),
        ("潜血", "尿常规", "u_blood"), ("中性粒细胞%", "", "neut_pct"), ("中性粒细胞绝对值", "", "neut_abs"),
        ("NEUT#", "", "neut_abs"), ("LDL-C", "", "ldl"), ("低密度脂蛋白", "", "ldl"), ("Lp（a）", "", "lp_a"),
        ("糖化血红蛋白 A1c", "", "hba1c"), ("C-反应蛋白", "", "crp"), ("25-羟维生素D", "", "vit_d"),
        ("糖类抗原19-9", "", "ca199"), ("CA-125", "", "ca125"), ("Free T4", "", "ft4"), ("尿蛋白", "", "u_protein"),
    ],
)  # fmt: skip
def test_reports_spell_items_in_many_ways(name: str, section: str, code: str) -> None:
    found = vocabulary().find(name=name, section=section)
    assert found is not None and (found.item.code, found.by) == (code, "name")


@STEADY
@given(data=st.data())
def test_marks_brackets_and_blanks_do_not_hide_a_name(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from([item for item in ITEMS if item.specimen == "blood"]))
    name = data.draw(st.sampled_from([item.name.zh, item.name.en, *item.aliases]))
    noise = data.draw(st.sampled_from(["{}", "*{}", "★ {}", "{} ↑", " {} ", "{}（{{}}）", "{}测定", "{}(测定)"]))
    found = vocabulary().find(name=noise.format(name).replace("{}", ""))
    assert found is not None and found.item.code == item.code


@STEADY
@given(name=st.text(max_size=200), section=st.text(max_size=40))
def test_any_text_is_looked_up_without_trouble(name: str, section: str) -> None:
    vocabulary().find(name=name, section=section)
    assert all(spellings(name))


def test_loinc_wins_over_the_providers_code_and_that_over_the_name() -> None:
    codes = {"X17": "ast", "GONE": "", "WRONG": "no-such-item"}
    find = vocabulary().find
    by_loinc = find(loinc="1742-6", code="X17", name="尿酸", codes=codes)
    by_code = find(loinc="99999-9", code="X17", name="尿酸", codes=codes)
    by_name = find(code="GONE", name="尿酸", codes=codes)
    assert by_loinc and by_code and by_name
    assert [(it.item.code, it.by) for it in (by_loinc, by_code, by_name)] == [
        ("alt", "loinc"), ("ast", "code"), ("uric_acid", "name"),
    ]  # fmt: skip
    assert find(code="WRONG", name="心肺耐力", codes=codes) is None


def test_methods_are_told_apart_by_loinc_or_name() -> None:
    find = vocabulary().find
    told = [find(loinc="33914-3"), find(name="eGFR(CKD-EPI)"), find(name="eGFR"), find(name="尿素氮")]
    assert [it and it.variant for it in told] == ["mdrd", "ckd_epi", "", "nitrogen"]


def test_the_demonstration_speaks_the_vocabulary() -> None:
    for item in MEASURED:
        found = vocabulary().find(loinc=item.loinc, name=item.name, section=item.section)
        by_name = vocabulary().find(name=item.name, section=item.section)
        assert found and by_name and found.item is by_name.item, item.name
        assert found.item.conversion(item.unit or "1") is not None, item.name
    assert all(vocabulary().find(loinc=told[1]) for told in TOLD)
    sold = {part["code"] for package in demo_packages().values() for part in package.package["items"]}
    assert {code for item in ITEMS for code in item.packages} <= sold
