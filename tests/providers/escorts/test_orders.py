"""What can be ordered of a sandbox's escorts, and what is refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from providers.sandbox.config import Account, ConfigError, change_settings, parse_account
from tests.eventually import eventually
from tests.providers.escorts.sending import OFFER, POOL, WINDOWS, Sent, booked, sending, wanted
from tests.sandboxes import Sandbox

WORKER = {"code": "E1", "pool": POOL, "name": "何静", "sex": "female"}


def read(**way: Any) -> Account:
    """An account of the file."""
    return parse_account(sending("quick", **way), Path(), {})


def test_a_staff_is_made_up_for_each_pool_that_sells_and_the_same_each_time() -> None:
    other = {**WINDOWS, "pool": "SH"}
    checks = {"pool": "P1", "offers": ["BASIC"]}
    one, again = (read(pools=[WINDOWS, other, checks], staff=4) for _time in range(2))
    assert one.escorts == again.escorts and one.escorts is not None
    assert [each.pool for each in one.escorts.staff] == [POOL] * 4 + ["SH"] * 4
    assert len({each.code for each in one.escorts.staff}) == 8
    assert {each.sex for each in one.escorts.staff} == {"female", "male"}
    assert [pool.capacity for pool in one.pools] == [4, 4, None]


def test_a_list_of_people_and_a_number_of_places_of_its_own_are_kept() -> None:
    own = read(staff=[WORKER, {**WORKER, "code": "E2", "active": False}], pools=[{**WINDOWS, "capacity": 9}])
    assert own.escorts is not None and [each.code for each in own.escorts.staff] == ["E1", "E2"]
    assert own.pools[0].capacity == 9
    assert read(staff=[WORKER]).pools[0].capacity == 1


@pytest.mark.parametrize(
    "way",
    [
        {"offers": []},
        {"offers": "ESCORT"},
        {"staff": 0},
        {"staff": 51},
        {"staff": True},
        {"staff": {}},
        {"staff": [{"code": "E1"}]},
        {"staff": [{**WORKER, "sex": "other"}]},
        {"staff": [{**WORKER, "code": "E 1"}]},
        {"staff": [{**WORKER, "name": ""}]},
        {"staff": [{**WORKER, "licence": "1"}]},
        {"staff": [{**WORKER, "active": "no"}]},
        {"staff": [WORKER, WORKER]},
        {"every": -1},
        {"every": "fast"},
        {"assign_after": True},
        {"pace": 1},
    ],
)
def test_what_cannot_be_had_is_refused_at_start(way: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        read(**way)


def test_settings_change_some_and_keep_the_rest() -> None:
    account = read(every=None)
    change_settings(account, {"escorts": {"every": 2}})
    assert account.escorts is not None
    assert (account.escorts.every, account.escorts.assign_after, len(account.escorts.staff)) == (2.0, 0.1, 6)
    with pytest.raises(ConfigError):
        change_settings(account, {"escorts": {"staff": 3}})


def refused(sent: Sent, verb: str, path: str, wish: Any = None) -> tuple[int, str]:
    """What the control says to it."""
    address = f"{sent.sandbox.url}/_control/accounts/{sent.account}/{path}"
    answer = requests.request(verb, address, json=wish, timeout=10)
    return answer.status_code, answer.json()["code"]


def test_what_cannot_be_done_is_refused_by_name(escorts: Sandbox) -> None:
    sent = booked(escorts, "idle")
    at = f"escorts/{sent.reference}"
    assert refused(sent, "POST", f"{at}/next") == (409, "wrong_state")
    assert refused(sent, "POST", f"{at}/lines", {"kind": "released"}) == (409, "wrong_state")
    assert refused(sent, "POST", f"{at}/lines", {"kind": "assigned", "escort": "NOBODY"}) == (409, "nobody_free")
    assert refused(sent, "POST", f"{at}/lines", {"kind": "met", "where": "here"}) == (422, "invalid")
    assert refused(sent, "PATCH", f"{at}/lines/1", {}) == (404, "unknown_line")
    assert refused(sent, "DELETE", f"{at}/pictures/none") == (404, "unknown_picture")
    assert refused(sent, "POST", "escorts/none/next") == (404, "unknown_booking")
    assert refused(sent, "PATCH", "staff/E99", {"name": "x"}) == (422, "invalid")
    sent.control.deed(sent.reference, "assigned")
    assert refused(sent, "POST", f"{at}/lines", {"kind": "released", "cause": "tired"}) == (422, "invalid")
    assert [each.kind for each in sent.lines()] == ["assigned"]


def test_who_has_left_goes_nowhere_and_who_came_newly_does(escorts: Sandbox) -> None:
    sent = booked(escorts, "idle")
    control, before = sent.control, sent.control.staff()
    try:
        for each in before:
            control.change_worker(each["code"], active=False)
        at = f"escorts/{sent.reference}/lines"
        assert refused(sent, "POST", at, {"kind": "assigned"}) == (409, "nobody_free")
        control.change_worker("NEW", name="新来", sex="male", pool=POOL)
        assert control.deed(sent.reference, "assigned")["worker"] == {"code": "NEW", "name": "新来", "sex": "male"}
    finally:
        control.change_worker("NEW", name="新来", sex="male", pool=POOL, active=False)
        for each in before:
            control.change_worker(each["code"], active=True)


def test_a_pace_that_is_set_anew_counts_for_what_waits(escorts: Sandbox) -> None:
    sent = wanted(escorts, "idle")
    sent.book()
    sent.control.settings(escorts={"assign_after": 0})
    try:
        sent.until("assigned")
        sent.control.settings(escorts={"assign_after": None, "every": 0})
        sent.until("handed_over")
        eventually(lambda: sent.status() == "fulfilled")
    finally:
        sent.control.settings(escorts={"assign_after": None, "every": 0.1})


def test_the_control_shows_what_is_held_of_each(escorts: Sandbox) -> None:
    sent = booked(escorts, "idle")
    assert sent.control.escorts("nobody") == []
    assert (sent.kept()["worker"], sent.kept()["lines"]) == (None, [])
    line = sent.control.deed(sent.reference, "assigned")
    kept = sent.kept()
    assert (kept["our_reference"], kept["status"], kept["pool"]) == (sent.ours, "confirmed", POOL)
    assert (kept["worker"], kept["safe_word"], kept["lines"]) == (line["escort"], line["safe_word"], [line])
    assert sent.control.bookings(sent.ours)[0]["offer"] == OFFER
