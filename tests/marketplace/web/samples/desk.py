"""The provider desk: sign-in, first page, one's own account."""

from __future__ import annotations

from typing import Any

from marketplace.core.text import Text
from marketplace.web.desk.session import DOOR
from marketplace.web.parts import Form
from providers.staff.invitations import InvitationLine
from providers.staff.members import MemberView
from tests.marketplace.web.samples.everyday import ZONE, Context, at, zh_en
from vip.operators.team import AccountLine
from vip.principal import MemberRole

PROVIDER = Text("安享示范医院·体检中心", "Anxiang Demonstration Hospital, Health Check Centre")


def desk_page(here: str, role: MemberRole = "manager", **context: Any) -> Context:
    """What every page of the desk is given, and `context`."""
    me = MemberView("mbr_1", "fang", zh_en("方敏", "Fang Min"), role, PROVIDER, ZONE)
    return {
        "door": DOOR,
        "me": me,
        "provider_name": zh_en(*PROVIDER),
        "here": here,
        "counts": {"bookings": 5},
        **context,
    }


def sign_in() -> Context:
    problem = zh_en("登录名或密码不正确。", "Login or password is wrong.")
    return {"form": Form({"name": "fang"}, problem=problem), "action": "/gallery/desk", "next_url": "", "door": DOOR}


def code() -> Context:
    return {"form": Form(), "action": "/gallery/desk", "next_url": "", "door": DOOR}


def password() -> Context:
    return desk_page("password", form=Form())


def _account(login: str, name: str, role: MemberRole, ended: bool = False) -> AccountLine:
    seen = None if login == "mei" else at(11, 20, 9)
    return AccountLine(
        f"mbr_{login}", login, name, role, seen, seen, at(11, 21, 9) if ended else None, seen is None, login == "fang"
    )


def team(alone: bool = False) -> Context:
    rows = (
        _account("fang", zh_en("方敏", "Fang Min"), "manager"),
        _account("mei", zh_en("梅若", "Mei Ruo"), "front_desk"),
        _account("wu", zh_en("吴迪", "Wu Di"), "clinician", ended=True),
    )
    asked = (
        InvitationLine("inv_1", "139****1111", "front_desk", "sent", at(11, 22, 9), at(11, 29, 9)),
        InvitationLine("inv_2", "c***@example.com", "clinician", "to_send", at(11, 23, 9), at(11, 30, 9)),
        InvitationLine("inv_3", "138****2222", "manager", "not_sent", at(11, 21, 9), at(11, 28, 9)),
    )
    return desk_page("team", rows=rows[:1] if alone else rows, invitations=() if alone else asked)


def member(ended: bool = False, password: str = "") -> Context:
    page = _account("wu", zh_en("吴迪", "Wu Di"), "clinician", ended=ended)
    return desk_page("team", page=page, problem=None, password=password)


def invite() -> Context:
    errors = {"to": zh_en("这个手机号无法接收短信。", "This is not a mobile number that we can send a code to.")}
    return desk_page("team", form=Form({"to": "1390", "role": "clinician"}, errors), problem=None, mails=True)


def join() -> Context:
    errors = {"login": zh_en("另一个账号已使用此登录名。", "Another account has this login.")}
    form = Form({"name": zh_en("陈可", "Chen Ke"), "login": "chen"}, errors)
    return {"door": DOOR, "token": "x", "provider": zh_en(*PROVIDER), "role": "front_desk", "form": form}
