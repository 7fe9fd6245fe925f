"""Two administrators who end each other's service at once: one stays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.database.db import reading
from tests.concurrency.controls import all_at_once
from tests.people import NOON, make_insurer
from vip.models import Operator
from vip.operators import operators, team
from vip.operators.administration import end_service
from vip.operators.operators import sign_in_operator
from vip.operators.team import LastAdmin, Team
from vip.signin.authentication import authenticate

pytestmark = pytest.mark.usefixtures("db")
PASSWORD = "a long enough secret"


def end_each_other() -> tuple[list[object], int]:
    """What both came to, and how many are left."""
    make_insurer()
    for login in ("lin", "wu"):
        operators.create_admin(login, PASSWORD, login, now=NOON)
    lin, wu = (authenticate(sign_in_operator(login, PASSWORD, NOON).token, now=NOON) for login in ("lin", "wu"))
    found = all_at_once([partial(end_service, who, whom.public_id, now=NOON) for who, whom in ((lin, wu), (wu, lin))])
    with reading() as session:
        left = session.scalars(select(Operator.id).where(Operator.disabled_at.is_(None))).all()
    return found, len(left)


def test_of_two_who_end_each_other_one_is_left() -> None:
    found, left = end_each_other()
    assert left == 1 and [type(one) for one in found].count(LastAdmin) == 1


def test_without_the_lock_both_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Barrier(2)

    def look(session: Session, of: Team) -> Sequence[Operator]:
        wanted = select(Operator).where(of.people, Operator.role == "admin", Operator.disabled_at.is_(None))
        found = session.scalars(wanted).all()
        both.wait(60)
        return found

    monkeypatch.setattr(team, "lock_leading", look)
    assert end_each_other()[1] == 0
