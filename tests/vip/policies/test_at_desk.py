"""Policies as operators see them."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from marketplace.catalog.models import Insurer
from marketplace.core import ids
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, TooMany
from tests.people import NOON, OTHER_PHONE, PHONE, TODAY, make_customer, make_insurer, signed_in
from tests.policies import FATHER, HERSELF, policy_facts, put
from tests.statements import sent_to_the_database
from vip.operators.operators import create_operator, sign_in_operator
from vip.policies import at_desk
from vip.policies.at_desk import SEARCHES, Wanted
from vip.principal import Principal, Role
from vip.signin.authentication import authenticate

pytestmark = pytest.mark.usefixtures("db")


def operator(role: Role = "admin") -> Principal:
    make_insurer()
    create_operator(role, "a long password", "林默", role, now=NOON)
    return authenticate(sign_in_operator(role, "a long password", now=NOON).token, now=NOON)


def keys(who: Principal, wanted: Wanted, *, limit: int = 50) -> list[str]:
    """The keys of all pages."""
    found: list[str] = []
    cursor = None
    while True:
        page = at_desk.policies(who, wanted, cursor=cursor, limit=limit, now=NOON)
        found += [it.key for it in page.items]
        cursor = page.next
        if cursor is None:
            return found


def audited(action: str) -> list[AuditLine]:
    with reading() as session:
        return list(session.scalars(select(AuditLine).where(AuditLine.action == action)))


def six() -> None:
    make_customer()
    day = timedelta(days=1)
    for number, changes in enumerate(
        (
            {},
            {"in_force_until": TODAY + 30 * day},
            {"in_force_until": TODAY + 80 * day},
            {"in_force_until": TODAY - day},
            {"in_force_from": TODAY + day},
            {"status": "lapsed"},
        )
    ):
        put(policy_facts(key=f"key-{number}", number=f"P-000{number}", **changes))


def test_the_list_is_filtered_and_goes_by_pages() -> None:
    who = operator()
    assert keys(who, Wanted()) == []
    six()
    newest_first = [f"key-{number}" for number in (5, 4, 3, 2, 1, 0)]
    assert keys(who, Wanted()) == keys(who, Wanted(), limit=2) == newest_first
    assert keys(who, Wanted("in_force")) == ["key-2", "key-1", "key-0"]
    assert (keys(who, Wanted("not_yet")), keys(who, Wanted("ended"))) == (["key-4"], ["key-3"])
    assert (keys(who, Wanted("lapsed")), keys(who, Wanted("surrendered"))) == (["key-5"], [])
    assert keys(who, Wanted("", 30)) == ["key-1"]
    assert keys(who, Wanted("", 90)) == keys(who, Wanted("", 90), limit=1) == ["key-1", "key-2"]
    for wrong, field in ((Wanted("asleep"), "standing"), (Wanted("", 7), "ends_within")):
        with pytest.raises(Invalid) as refused:
            at_desk.policies(who, wrong, cursor=None, limit=50, now=NOON)
        assert refused.value.at == field
    for cursor in ("x", "WzFd", "WyIyMDI2LTEzLTAxIiwgMV0"):
        with pytest.raises(Invalid):
            at_desk.policies(who, Wanted("", 30), cursor=cursor, limit=50, now=NOON)


def test_the_table_names_nobody_and_no_number() -> None:
    who = operator()
    six()
    name, content = at_desk.table(who, Wanted("in_force"), now=NOON)
    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))
    assert name == "policies-2026-03-02.csv" and [it["key"] for it in rows] == ["key-2", "key-1", "key-0"]
    assert (rows[0]["number_masked"], rows[0]["insured"], rows[0]["status"]) == ("****02", "2", "in_force")
    assert "沈" not in content and "P-0002" not in content and "13800000011" not in content


def test_a_policy_is_found_by_its_whole_number_or_the_holders_phone_and_each_search_is_recorded() -> None:
    who = operator()
    make_customer()
    put(policy_facts(number="P2020-8888-0001"))
    put(policy_facts(key="key-2", number="P2020-8888-0002"))
    assert [it.key for it in at_desk.find(who, "p2020 88880001", now=NOON)] == ["policy-1"]
    assert [it.key for it in at_desk.find(who, "138 0000 0011", now=NOON)] == ["key-2", "policy-1"]
    for nothing in ("P2020-8888", "0001", OTHER_PHONE, "", "\x00", "沈静宜"):
        assert at_desk.find(who, nothing, now=NOON) == []
    searched = audited("policy.searched")
    assert [it.facts["found"] for it in searched][:2] == [1, 2]
    assert not [it for it in searched if "8888" in str(it.facts) or PHONE in str(it.facts)]


_MANY = """
    INSERT INTO customer SELECT (jsonb_populate_record(NULL::customer, to_jsonb(c) || jsonb_build_object(
        'id', 10000 + n, 'public_id', 'cus_' || n, 'phone_index', '\\x' || md5('c' || n), 'external_ref', n::text))).*
      FROM (SELECT * FROM customer LIMIT 1) c, generate_series(1, 3000) n;
    INSERT INTO policy SELECT (jsonb_populate_record(NULL::policy, to_jsonb(p) || jsonb_build_object(
        'id', 10000 + n, 'public_id', 'pcy_' || n, 'key', n::text, 'customer_id', 10000 + n,
        'number_index', '\\x' || md5('p' || n)))).*
      FROM (SELECT * FROM policy LIMIT 1) p, generate_series(1, 3000) n;
    ANALYZE customer, policy;
"""


def test_a_search_reads_no_more_policies_than_it_finds(db: Engine, owner_connection: Connection) -> None:
    who = operator()
    make_customer()
    put(policy_facts())
    owner_connection.exec_driver_sql(_MANY)
    with sent_to_the_database() as sent:
        at_desk.find(who, PHONE, now=NOON)
    [(statement, values)] = [each for each in sent if "FROM policy JOIN customer" in each[0]]
    with db.connect() as connection:
        plan = "\n".join(line[0] for line in connection.exec_driver_sql("EXPLAIN " + statement, values))
    for column in ("number_index", "phone_index"):
        assert re.search(rf"Index Cond: .*\({column} = ", plan), plan


def test_searches_are_limited() -> None:
    who = operator()
    for _ in range(SEARCHES.capacity):
        at_desk.find(who, "P2020-8888-0001", now=NOON)
    with pytest.raises(TooMany):
        at_desk.find(who, "P2020-8888-0001", now=NOON)


def test_one_policy_is_shown_masked_with_who_put_what_when() -> None:
    who = operator()
    make_customer()
    made = put(policy_facts(), source="import:imp_1")
    put(policy_facts(version=3, status="lapsed", insured=(HERSELF,)), now=NOON + timedelta(days=1), source="client:c1")
    found = at_desk.policy(who, made.policy_id, now=NOON)
    assert (found.row.number_masked, found.row.holder, found.phone_masked) == ("****0001", "沈**", "138****0011")
    assert [(it.name, it.relation, it.ended_on) for it in found.insured] == [
        ("沈**", "self", None),
        ("沈**", "father", date(2026, 3, 3)),
    ]
    assert [(it.version, it.source, it.changed) for it in found.versions] == [
        (3, "client:c1", ("status", "insured")),
        (1, "import:imp_1", ()),
    ]
    assert found.number == "" and len(audited("policy.viewed")) == 1 and audited("policy.number_shown") == []


def test_each_look_at_the_number_is_recorded() -> None:
    who = operator()
    make_customer()
    policy_id = put(policy_facts()).policy_id
    assert at_desk.policy_with_number(who, policy_id, now=NOON).number == "P2020-8888-0001"
    assert at_desk.policy_with_number(who, policy_id, now=NOON).number == "P2020-8888-0001"
    lines = audited("policy.number_shown")
    assert [(it.subject, it.actor, it.facts) for it in lines] == [(policy_id, who.public_id, {})] * 2


def test_what_is_another_insurers_is_not_there_nor_is_anything_without_the_role() -> None:
    who, agent = operator(), operator("agent")
    make_customer()
    with transaction() as session:
        other = Insurer(public_id=ids.new_id("ins"), code="other", name_zh="他", name_en="Other")
        session.add(other)
        session.flush()
        other_id = other.id
    theirs = put(policy_facts(insured=(HERSELF, FATHER)), insurer_id=other_id).policy_id
    assert keys(who, Wanted()) == [] and at_desk.find(who, "P2020-8888-0001", now=NOON) == []
    assert at_desk.find(who, PHONE, now=NOON) == [] and "policy-1" not in at_desk.table(who, Wanted(), now=NOON)[1]
    for unknown in (theirs, ids.new_id("pcy"), "x"):
        with pytest.raises(NotFound):
            at_desk.policy(who, unknown, now=NOON)
        with pytest.raises(NotFound):
            at_desk.policy_with_number(who, unknown, now=NOON)
    mine = put(policy_facts(), insurer_id=make_insurer().id).policy_id
    for somebody in (agent, signed_in()):
        for refused in (
            lambda who: at_desk.policies(who, Wanted(), cursor=None, limit=50, now=NOON),
            lambda who: at_desk.table(who, Wanted(), now=NOON),
            lambda who: at_desk.find(who, PHONE, now=NOON),
            lambda who: at_desk.policy(who, mine, now=NOON),
            lambda who: at_desk.policy_with_number(who, mine, now=NOON),
        ):
            with pytest.raises(NotFound):
                refused(somebody)
