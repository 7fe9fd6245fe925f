"""Registering as a provider, and how that stands at its desk."""

from __future__ import annotations

from dataclasses import replace

from marketplace.web.desk.applying import words
from marketplace.web.desk.session import DOOR
from marketplace.web.parts import Form
from providers.applying.own import Missing, OwnApplication
from tests.marketplace.web.samples.desk import PROVIDER, desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context, zh_en

CODE = "91350100M000100Y43"


def apply(wrong: bool = False) -> Context:
    values = {"answers": "desk", "country": "cn", "language": "zh", "time_zone": ZONE}
    typed = {"name_zh": PROVIDER.zh, "registration": CODE[:-1] + "4", "email": "fang"}
    errors = {
        "name_en": zh_en("请填写此项。", "This is needed."),
        "registration": zh_en("统一社会信用代码的校验位不符。", "The last character does not fit the others."),
        "email": zh_en("这个邮箱无法收信。", "This is not an e-mail address that we can write to."),
    }
    return {
        "door": DOOR,
        "form": Form({**values, **typed}, errors) if wrong else Form(values),
        "mails": not wrong,
        "answers": words.answers(),
        "countries": words.countries(),
        "letter_languages": [("zh", "中文"), ("en", "English")],
        "zones": ["Asia/Shanghai", "UTC"],
        "longest": {"name": 200, "number": 40, "contact": 64},
    }


def sent() -> Context:
    return {"door": DOOR, "development": True}


def confirm() -> Context:
    errors = {"login": zh_en("另一个账户已使用此登录名。", "Another account has this login.")}
    named = {"provider": zh_en(*PROVIDER), "who": zh_en("方敏", "Fang Min")}
    return {"door": DOOR, "token": "x", **named, "form": Form({"login": "fang"}, errors)}


def application(state: str = "new", wrong: bool = False) -> Context:
    done = {"profile": True, "place": True, "offer": False, "system": True, "certificate": True}
    steps = (*(Missing(what, each) for what, each in done.items()), Missing("approval", state == "approved"))  # type: ignore[arg-type]
    note = zh_en("营业执照已过期，请更新后再提交。", "The licence has expired. Renew it, then send this in again.")
    it = OwnApplication(state, note if state == "declined" else "", "", "desk", "cn", CODE, False, steps)
    errors = {"registration": zh_en("请填写此项。", "This is needed.")} if wrong else {}
    page = desk_page(
        "application",
        it=it,
        turn_now=words.turn(it),
        steps=[words.step(each, it) for each in steps],
        form=Form({"answers": "desk", "country": "cn", "registration": "" if wrong else CODE}, errors),
        answers=words.answers(),
        countries=words.countries(),
        longest={"number": 40, "note": 1000},
    )
    return {**page, "me": replace(page["me"], approved=state == "approved")}
