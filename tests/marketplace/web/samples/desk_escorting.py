"""The escort worker's pages. Made by the product's own page models."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from booking.consultation.intake.bounds import LARGEST
from booking.escort.deeds import Deed
from booking.escort.evidence.contents import Cost
from booking.escort.evidence.kinds import Kind
from booking.escort.evidence.position import NEAR_METRES, POOREST_METRES
from booking.escort.evidence.told import LARGEST_SUM, MOST_CHARACTERS, MOST_CHARACTERS_FOR
from booking.escorting.mine import Escorted, EscortInFull, MyEscort, MyEscorts
from marketplace.core.sphere import Position
from marketplace.web.desk.escorting import page
from marketplace.web.language import current
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context, at, zh_en

_SITE = {"id": "sit_1", "name": "望江示范医院", "city": "杭州市", "district": "西湖区", "address": "文溪路 8 号"}


def _escort(number: int, state: str, day: int, hour: int, **more: Any) -> MyEscort:
    return MyEscort(
        id=f"esa_{number}",
        state=state,
        cause="",
        kind="hospital_escort",
        reference=f"AX7K2M91{number}Q",
        site=_SITE,
        starts_at=at(11, day, hour, 30),
        ends_at=at(11, day, hour + 4, 30),
        day=at(11, day, hour).date(),
        time_zone=ZONE,
        answer_due_at=more.get("answer_due_at"),
    )


def lists(empty: bool = False, unset: bool = False) -> Context:
    found = MyEscorts(
        "何静",
        [_escort(1, "asked", 24, 8, answer_due_at=at(11, 23, 10, 40))],
        [_escort(2, "accepted", 23, 8)],
        [_escort(3, "accepted", 25, 13), _escort(4, "accepted", 26, 8)],
        [_escort(5, "done", 20, 8), _escort(6, "replaced", 19, 8), _escort(7, "withdrawn", 19, 13)],
    )
    shown = page.Lists("", unset=unset) if unset or empty else page.lists(found)
    return desk_page("escorts", "escort", page=shown, language_code=current().code)


def _deed(number: int, kind: Kind, hour: int, minute: int, **more: Any) -> Deed:
    done = at(11, 23, hour, minute)
    given: dict[str, Any] = {"doubt": None, "position": None, "accuracy_m": None, "by_code": False, **more}
    return Deed(
        id=f"esd_{number}",
        assignment="esa_2",
        worker=more.pop("worker", zh_en("何静", "He Jing")),
        key=uuid.UUID(int=number),
        number=number,
        kind=kind,
        at=done,
        received_at=done,
        **{name: value for name, value in given.items() if name != "worker"},
    )


def one(state: str = "going") -> Context:
    """`state`: going, new, done, over, withdrawn (what was answered), or taken (over from somebody)."""
    deeds = [
        _deed(1, "on_the_way", 7, 46),
        _deed(2, "arrived", 8, 12, position="within", accuracy_m=24),
        _deed(3, "met", 8, 21, by_code=True, words=zh_en("门诊楼一层大厅", "Lobby of the outpatient building")),
        _deed(4, "registered", 8, 34, words=zh_en("心内科 3 诊室，第 12 号", "Cardiology, room 3, number 12")),
        _deed(5, "note", 8, 36, words=zh_en("早饭已吃，血压药已服。", "Had breakfast and the blood pressure pills.")),
        _deed(6, "cost", 8, 40, cost=Cost(1250, "CNY", zh_en("停车", "Parking")), picture="epi_1", doubt="ahead"),
    ]
    person = Escorted(
        zh_en("林素琴", "Lin Suqin"),
        "female",
        67,
        {
            "department": zh_en("心内科", "Cardiology"),
            "mobility": "stick",
            "language": "mandarin",
            "contact_name": zh_en("沈静宜", "Shen Jingyi"),
            "contact_phone": "13900000099",
            "note": zh_en("听力不太好，请慢慢说。", "Hears poorly: please speak slowly."),
            "share": True,
        },
    )
    full = EscortInFull(
        escort=_escort(2, "accepted", 23, 8),
        booking="bkg_1",
        person=person,
        safe_word="青山",
        pinyin="qīng sōng",
        where=Position(30.27, 120.15),
        deeds=deeds,
        before=(),
        highest=6,
        currency="CNY",
    )
    if state == "new":
        full = replace(full, deeds=(), highest=0, where=None)
    if state == "done":
        full = replace(full, deeds=[*deeds, _deed(7, "back_home", 11, 30)])
    if state == "over":
        full = replace(full, escort=_escort(2, "replaced", 23, 8), person=None, safe_word="", pinyin="")
    if state == "withdrawn":
        full = replace(full, person=replace(person, answers={}))
    if state == "taken":
        full = replace(full, deeds=(), before=[replace(it, worker=zh_en("王安", "Wang An")) for it in deeds[:3]])
    limits = {
        "words": MOST_CHARACTERS,
        "what": MOST_CHARACTERS_FOR,
        "sum": LARGEST_SUM,
        "near": NEAR_METRES,
        "poorest": POOREST_METRES,
        "sides": page.SIDES,
        "picture": LARGEST,
    }
    return desk_page("escorts", "escort", page=page.one(full), limits=limits, language_code=current().code)
