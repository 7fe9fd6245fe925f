"""Operators: sign-in, second factor, accounts."""

from __future__ import annotations

from marketplace.web.console.session import DOOR
from marketplace.web.parts import Form
from marketplace.web.qr import qr_code
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import Context, at, zh_en
from vip.operators.administration import NewOperator
from vip.operators.device_changes import DeviceStatus
from vip.operators.second_factor import Offer
from vip.operators.team import AccountLine


def operator() -> Context:
    return {"form": Form(), "action": "/gallery/operator", "next_url": "", "door": DOOR}


_OFFER = Offer(
    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "otpauth://totp/Anxiang:lin?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Anxiang",
    "sealed",
)

_CODES = tuple(f"a2b{n}-c4d5-e6f7-g8h9" for n in range(10))


def operator_code() -> Context:
    errors = {
        "code": zh_en("验证码不正确，或已使用过。请等下一个验证码再试。", "That code is not right, or was used before.")
    }
    return {"form": Form(errors=errors), "action": "/gallery/operator_code", "next_url": "", "door": DOOR}


def operator_device() -> Context:
    more = {"offer": _OFFER, "qr": qr_code(_OFFER.uri)}
    return {"form": Form(), "action": "/gallery/operator_device", "next_url": "", "door": DOOR, **more}


def operator_codes() -> Context:
    return {"codes": _CODES, "next_url": "/operators", "door": DOOR}


def operator_own_password() -> Context:
    return {"form": Form(), "action": "/gallery/operator_own_password", "next_url": "", "door": DOOR}


def _account(login: str, name: str, role: str, ended: bool = False, myself: bool = False) -> AccountLine:
    seen = None if login == "mei" else at(11, 20, 9)
    return AccountLine(
        f"opr_{login}", login, name, role, seen, seen, at(11, 21, 9) if ended else None, seen is None, myself
    )


def console_accounts() -> Context:
    rows = (
        _account("lin", zh_en("林默", "Lin Mo"), "admin", myself=True),
        _account("mei", zh_en("梅若", "Mei Ruo"), "agent"),
        _account("wu", zh_en("吴迪", "Wu Di"), "agent", ended=True),
    )
    return console_page("accounts", rows=rows)


def console_account(ended: bool = False) -> Context:
    return console_page("accounts", page=_account("wu", zh_en("吴迪", "Wu Di"), "agent", ended=ended), problem="")


def console_account_new(made: bool = False) -> Context:
    errors = {"login": zh_en("另一位操作员已使用此登录名。", "Another account has this login.")}
    new = NewOperator("opr_wu", "a2b3-c4d5-e6f7-g8h9") if made else None
    return console_page(
        "accounts", form=Form({"name": "Wu", "role": "agent"}, errors), made=new, login="wu", problem=None
    )


def console_second_factor(none: bool = False) -> Context:
    return console_page("second_factor", page=DeviceStatus(None if none else at(11, 20, 9), 9), form=Form())


def console_device() -> Context:
    return console_page("second_factor", offer=_OFFER, qr=qr_code(_OFFER.uri), form=Form(), present=True, problem=None)


def console_recovery_codes() -> Context:
    return console_page("second_factor", codes=_CODES)
