"""The demonstration's escort services: their workers, and who goes where in the next days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from booking.escort.at_desk.board import Wanted, board
from booking.escort.workers import read
from marketplace.demo.coverage import load_coverage
from marketplace.demo.desk import PASSWORD
from marketplace.demo.escort_bookings import load_escort_bookings
from marketplace.demo.escort_workers import HE, load_escort_workers, manager_of
from marketplace.demo.escorts import INSTANT, ON_REQUEST, load_escorts
from marketplace.demo.people import load_people
from marketplace.demo.policies import load_policies
from tests.people import NOON, TODAY
from tests.sites import load_sites
from vip.operators.operators import sign_in_operator
from vip.operators.sign_in_steps import OperatorSignedIn
from vip.signin.authentication import authenticate_member


def site(number: int, city: str) -> dict[str, str]:
    return {"name": f"{city[:2]}示范医院{number}", "province": "浙江省", "city": city, "tier": "三级甲等"}


@pytest.mark.usefixtures("db")
def test_a_living_board_is_loaded_once(tmp_path: Path) -> None:
    load_people(NOON)
    load_policies(NOON)
    load_sites(tmp_path, [site(number, city) for city in ("杭州市", "宁波市", "温州市") for number in range(2)])
    for _start in range(2):
        load_escorts(NOON)
        assert load_escort_workers(NOON) == (HE,)
        load_coverage(NOON)
        load_escort_bookings(NOON)
    managers = manager_of(ON_REQUEST), manager_of(INSTANT)
    workers = [read.workers_of(each, now=NOON) for each in managers]
    assert [len(each) for each in workers] == [7, 4]
    ahead = Wanted(TODAY, TODAY + timedelta(days=14))
    standings = [sorted(line.standing for line in board(each, ahead).lines) for each in managers]
    assert standings == [["accepted", "asked", "without"], ["without"]]
    found = sign_in_operator(HE.login, PASSWORD, NOON, employer="provider")
    assert isinstance(found, OperatorSignedIn)
    me = authenticate_member(found.token, now=NOON)
    linked = [read.worker_of(managers[0], each.id, now=NOON).member for each in workers[0] if each.name == HE.name]
    assert me.role == "escort" and [each.id for each in linked if each] == [me.public_id]
