"""Policies as lines of a file."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
from sqlalchemy import func, select

from marketplace.core.bulk.cells import Cells
from marketplace.core.bulk.table import read_table
from marketplace.core.bulk.template import template
from marketplace.core.database.db import reading
from marketplace.core.text import Text
from marketplace.reason_words import REASONS
from tests.people import NOON
from tests.vip.imports.policy_lines import file, line
from tests.vip.imports.stage import operator, work
from vip.customers import id_numbers
from vip.imports.steer import steer
from vip.imports.upload import upload
from vip.imports.view import one_import, refused_lines
from vip.models import Beneficiary, Customer
from vip.policies.bulk import COLUMNS, POLICIES, REMEDIES
from vip.policies.facts import RELATIONS, STATUSES, InsuredFacts
from vip.policies.models import Policy, PolicyVersion
from vip.policies.put import Outcome
from vip.principal import Principal


def imported(who: Principal, content: bytes) -> tuple[dict[str, int], list[tuple[int, str, str]]]:
    """Import a file; the counts, and for each error its line, column and reason."""
    it = upload(who, "policies", "policies.csv", content, now=NOON)
    work()
    if one_import(who, it, now=NOON).line.counts.get("refused", 0) < one_import(who, it, now=NOON).line.lines:
        steer(who, it, "start", now=NOON)
        work()
    found = refused_lines(who, it, cursor=None, limit=50).items
    errors = [(each.number, error.column, error.reason) for each in found for error, _value in each.errors]
    return dict(one_import(who, it, now=NOON).line.counts), errors


def stored() -> tuple[int, ...]:
    with reading() as session:
        return tuple(
            session.scalars(select(func.count()).select_from(table)).one()
            for table in (Policy, PolicyVersion, Customer, Beneficiary)
        )


def test_the_example_of_the_template_is_a_policy() -> None:
    filled = template(POLICIES, "zh") + ",".join(column.example for column in COLUMNS) + "\r\n"
    [found] = read_table(filled.encode(), COLUMNS).lines
    cells = Cells(COLUMNS, found.texts, found.marks)
    facts = POLICIES.read(cells)
    assert cells.errors == []
    assert (facts.key, facts.version, facts.long_term, facts.status) == ("P-100245", 1, True, "in_force")
    assert facts.product_name == Text("康护终身", "Care for Life")
    assert (facts.in_force_from, facts.in_force_until) == (date(2026, 1, 1), date(2056, 1, 1))
    assert facts.insured == (
        InsuredFacts("王芳", date(1958, 3, 7), "female", "self"),
        InsuredFacts("李建国", date(1956, 11, 20), "male", "spouse"),
    )
    assert facts.holder is None


def test_what_a_line_needs_is_said_for_each_column() -> None:
    cells = Cells(COLUMNS, {"insured_3_name": "张三", "holder_name": "李四", "version": "0", "key": "K"})
    POLICIES.read(cells)
    missing = {error.column for error in cells.errors if error.reason == "missing"}
    assert {"number", "product", "long_term", "status", "insured_1_name", "insured_1_relation"} <= missing
    assert {"insured_3_birth_date", "insured_3_sex", "insured_3_relation", "holder_sex"} <= missing
    assert not {"insured_2_name", "in_force_until", "plan", "holder_id_number"} & missing
    assert ("version", "too_small") in {(error.column, error.reason) for error in cells.errors}


def test_every_choice_and_outcome_has_a_name_and_every_remedy_a_reason() -> None:
    choices = {column.code: set(column.choices) for column in COLUMNS}
    assert choices["status"] == set(STATUSES)
    assert choices["insured_6_relation"] == set(RELATIONS)
    assert set(POLICIES.outcomes) == set(get_args(Outcome))
    assert set(REMEDIES) <= set(REASONS)


@pytest.mark.usefixtures("db")
def test_the_same_policies_a_second_time_change_nothing() -> None:
    lin, content = operator(), file(*(line(number) for number in range(60)))
    assert imported(lin, content) == ({"created": 60}, [])
    before = stored()
    assert before == (60, 60, 60, 120)
    assert imported(lin, content) == ({"unchanged": 60}, [])
    assert stored() == before
    newer = file(line(0, version="2", status="Lapsed"), line(1, version="1"), line(60))
    assert imported(lin, newer) == ({"created": 1, "updated": 1, "unchanged": 1}, [])
    assert imported(lin, file(line(0))) == ({"older": 1}, [])


@pytest.mark.usefixtures("db")
def test_what_only_the_policies_know_is_said_at_the_column_at_fault() -> None:
    lin = operator()
    assert imported(lin, file(line(1), line(2)))[0] == {"created": 2}
    first_of = "11010119580307002"
    wrong = file(
        line(1, status="终止"),
        line(3, number="86-2026-000001"),
        line(4, key="86-2026-000004"),
        line(5, holder_phone="12345"),
        line(6, in_force_until="2025-01-01"),
        line(7, insured_2_id_number="11010119561120001X"),
        line(8, insured_1_id_number=first_of + id_numbers.check_character(first_of), insured_1_sex="男"),
        line(9, insured_1_relation="配偶", insured_2_relation="其他"),
        line(10, plan="GOLD"),
        line(11, holder_phone="13800000002"),
        line(12),
    )
    counts, errors = imported(lin, wrong)
    assert counts == {"created": 1, "refused": 10}
    assert errors == [
        (2, "version", "version_reused"),
        (3, "number", "number_taken"),
        (4, "key", "key_is_number"),
        (5, "holder_phone", "phone"),
        (6, "in_force_until", "before_start"),
        (7, "insured_2_id_number", "id_number_check"),
        (8, "insured_1_id_number", "id_number_sex"),
        (9, "holder_phone", "holder_unknown"),
        (10, "plan", "not_offered"),
        (11, "insured_1_name", "holder_is_another"),
    ]
    assert all(reason in REASONS for _line, _column, reason in errors)


@pytest.mark.usefixtures("db")
def test_the_trial_sees_numbers_and_holders_of_earlier_lines() -> None:
    """More lines apart than a batch has: the number of the first one with other separators, her phone with another
    name."""
    lin = operator()
    lines = [line(number) for number in range(60)]
    late = line(60, key="Z-1", number="862026 000000"), line(61, key="Z-2", holder_phone="138 0000 0001")
    it = upload(lin, "policies", "policies.csv", file(*lines, *late), now=NOON)
    work()
    foretold = dict(one_import(lin, it, now=NOON).line.counts)
    reasons = [error.reason for each in refused_lines(lin, it, cursor=None, limit=5).items for error, _ in each.errors]
    assert (foretold, reasons) == ({"created": 60, "refused": 2}, ["number_taken", "holder_is_another"])
    steer(lin, it, "start", now=NOON)
    work()
    assert dict(one_import(lin, it, now=NOON).line.counts) == foretold
