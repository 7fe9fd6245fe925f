"""The console's policies: listed, searched, shown, and the number on request."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from booking.personal.erase import erase
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, TODAY
from tests.policies import policy_facts, put
from tests.world import World
from vip.insurers import snapshots
from vip.policies.at_desk import SEARCHES

PHONE = "13800000021"
LIST = "/operators/policies"


def shown() -> int:
    with reading() as session:
        return session.scalars(
            select(func.count()).select_from(AuditLine).where(AuditLine.action == "policy.number_shown")
        ).one()


def test_the_list_is_filtered_and_goes_out_as_a_table(operator: Visitor, world: World) -> None:
    assert "No policy here." in main(operator.get(LIST)) and f"{LIST}/csv" not in operator.get(LIST).text
    insurer = world.customer.insurer_id
    soon = {"key": "p2", "number": "P2-2222-9876", "in_force_until": TODAY + timedelta(days=20)}
    put(policy_facts(holder_phone=PHONE), insurer_id=insurer)
    put(policy_facts(holder_phone=PHONE, **soon), insurer_id=insurer)
    page = operator.get(LIST)
    assert page.text.count("****") == 2 and "8888" not in page.text and "沈**" in page.text
    narrowed = operator.get(f"{LIST}?ends_within=30")
    assert "****9876" in narrowed.text and "****0001" not in narrowed.text
    assert f"{LIST}/csv?ends_within=30" in narrowed.text
    table = operator.get(f"{LIST}/csv?ends_within=30")
    assert table.content_type == "text/csv; charset=utf-8" and table.text.count("\r\n") == 2
    for wrong in ("?ends_within=7", "?ends_within=x", "?standing=asleep", "?after=x", "/csv?standing=asleep"):
        assert operator.get(f"{LIST}{wrong}").status_code == 422, wrong
    operator.language = "zh"
    assert "长青终身寿险" in main(operator.get(LIST))


def test_why_a_policy_ended_is_said_until_it_is_told_again(operator: Visitor, world: World) -> None:
    insurer = world.customer.insurer_id
    it = put(policy_facts(key="p2", number="P2-2222-9876", holder_phone=PHONE), insurer_id=insurer)
    opening = NOON + timedelta(minutes=1)
    made = snapshots.open_snapshot(insurer, ends_vanished=True, most_percent=20, once=lambda *_: None, now=opening)
    snapshots.complete(insurer, made.id, actor="cli_t", now=opening)
    path = f"{LIST}/{it.policy_id}"
    assert "snapshot" not in main(operator.get(path))
    snapshots.decide(made.id, end=True, actor="lin", now=opening)
    said = "because the insurer's snapshot did not name it."
    assert said in main(operator.get(path))
    operator.language = "zh"
    assert "因保险公司的快照未包含此保单而终止。" in main(operator.get(path))
    operator.language = "en"
    put(policy_facts(key="p2", number="P2-2222-9876", holder_phone=PHONE), insurer_id=insurer)
    assert said not in main(operator.get(path))


def test_a_policy_is_found_and_its_number_shown_on_request(operator: Visitor, world: World) -> None:
    path = f"{LIST}/{put(policy_facts(holder_phone=PHONE), insurer_id=world.customer.insurer_id).policy_id}"
    assert operator.post(LIST, LIST, wanted="P2020 8888 0001").headers["Location"] == path
    assert operator.post(LIST, LIST, wanted=PHONE).headers["Location"] == path
    nothing = operator.post(LIST, LIST, wanted="P2020-8888")
    assert nothing.status_code == 200 and "No policy has exactly this number" in main(nothing)
    page = operator.get(path)
    assert "****0001" in main(page) and "8888" not in page.text and shown() == 0
    assert "Import test" in main(page) and "first version" in main(page)
    clear = operator.post(f"{path}/number", path)
    assert clear.status_code == 200 and "P2020-8888-0001" in main(clear) and shown() == 1
    assert "8888" not in operator.get(path).text
    assert operator.get(f"{path}/number").status_code == 405
    operator.language = "zh"
    assert "首个版本" in main(operator.get(path))


def test_who_searches_too_much_is_told_when_to_come_back(operator: Visitor) -> None:
    for _ in range(SEARCHES.capacity):
        operator.post(LIST, LIST, wanted="P2020-8888-0001")
    answer = operator.post(LIST, LIST, wanted="P2020-8888-0001")
    assert answer.status_code == 429 and answer.headers["Retry-After"] and "possible in" in main(answer)


def test_the_policy_of_who_was_erased_names_nobody(operator: Visitor, world: World) -> None:
    path = f"{LIST}/{put(policy_facts(holder_phone=PHONE), insurer_id=world.customer.insurer_id).policy_id}"
    erase(world.principal, now=NOON)
    page = operator.get(path)
    assert page.status_code == 200 and "names nobody" in main(page) and "沈" not in main(page)
    assert "Show the number" not in main(page) and "****" not in main(page)
    assert operator.post(f"{path}/number", LIST).status_code == 404 and shown() == 0
    assert "erased" in main(operator.get(LIST))
