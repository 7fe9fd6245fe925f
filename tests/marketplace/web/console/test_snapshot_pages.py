"""The console's snapshots of policies: what waits is counted in the menu, shown and decided."""

from __future__ import annotations

from datetime import timedelta

from marketplace.core import clock
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.policies import policy_facts, put
from tests.vip.insurers.app import waiting_snapshot
from tests.world import World
from vip.insurers import snapshots
from vip.signin.signin import RECENT

PHONE = "13800000021"
LIST = "/operators/snapshots"
LATER = NOON + timedelta(minutes=1)
IN_MENU = 'class="count"><span class="sr">To decide </span>1</span>'


def waits(world: World) -> tuple[str, str]:
    """The path of a snapshot in which one policy vanished, and that policy's."""
    it = put(policy_facts(holder_phone=PHONE), insurer_id=world.customer.insurer_id)
    return f"{LIST}/{waiting_snapshot(world.customer.insurer_id, now=LATER)}", f"/operators/policies/{it.policy_id}"


def test_nothing_to_decide_says_so(operator: Visitor) -> None:
    page = operator.get(LIST)
    assert "No snapshot waits for a decision." in main(page) and 'class="count"' not in page.text
    assert "No insurer's system has told a full snapshot yet." in main(operator.get(f"{LIST}?state=all"))
    assert operator.get(f"{LIST}/snp_none").status_code == 404
    assert operator.get(f"{LIST}?after=x").status_code == 422


def test_what_waits_is_counted_shown_and_ended_once(operator: Visitor, world: World) -> None:
    path, policy = waits(world)
    assert IN_MENU in operator.get("/operators").text, "the overview too"
    assert "1 of 1 policies" in main(operator.get(LIST))
    page = operator.get(path)
    assert "****0001" in main(page) and "8888" not in page.text and "沈**" in main(page)
    assert "End 1 policy" in main(page) and "1 of 1 policies vanished" in main(page)
    done = operator.post(path, path, act="end")
    assert done.status_code == 303 and done.headers["Location"] == path
    after = operator.get(path)
    assert "1 policy was ended." in after.text and "before: In force" in main(after) and IN_MENU not in after.text
    assert "Policy ended" in main(operator.get(policy))
    late = operator.post(path, path, act="leave")
    assert late.status_code == 409 and "This was decided meanwhile." in main(late)
    back = operator.post(path, path, act="take_back")
    assert back.status_code == 303 and "Left as they were" in main(operator.get(path))
    assert "In force" in main(operator.get(policy))
    assert operator.post(path, path, act="guess").status_code == 422
    operator.language = "zh"
    assert "保单快照" in main(operator.get(path))


def test_an_end_needs_a_sign_in_of_the_last_minutes_and_leaving_does_not(operator: Visitor, world: World) -> None:
    path, _policy = waits(world)
    with clock.frozen(NOON + RECENT + timedelta(seconds=1)):
        assert operator.post(path, path, act="end").status_code == 403
        assert operator.post(path, path, act="leave").status_code == 303


def test_a_snapshot_that_is_open_says_that_nothing_is_known_yet(operator: Visitor, world: World) -> None:
    insurer = world.customer.insurer_id
    made = snapshots.open_snapshot(insurer, ends_vanished=False, most_percent=2, once=lambda *_: None, now=NOON)
    page = operator.get(f"{LIST}/{made.id}")
    assert "What vanished is known once the snapshot is completed." in main(page) and 'name="act"' not in page.text
    assert operator.post(f"{LIST}/{made.id}", f"{LIST}/{made.id}", act="leave").status_code == 409
