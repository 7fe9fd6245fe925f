"""A venue, to which somebody is sent, and the questions beside the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from marketplace.web.booking.venues.answers_form import Question, questions
from marketplace.web.booking.venues.services import Service
from marketplace.web.parts import Form, When
from tests.marketplace.web.samples.everyday import ZONE, Context, package, people, place, zh_en
from tests.marketplace.web.samples.times import times_page

ESCORT = "hospital_escort"


def _window(start: int) -> When:
    day = date(2026, 11, 26)
    opens, ends = (datetime(2026, 11, 26, hour, tzinfo=ZoneInfo(ZONE)) for hour in (start, start + 4))
    return When(day, ZONE, opens, ends)


def venue(*, reasons: bool = False, nobody: bool = False) -> Context:
    services = (
        Service(zh_en("陪诊半天", "Escort for half a day"), zh_en("安行陪诊", "Anxing Escorts"), _window(8), (), "#"),
        Service(zh_en("陪诊一天", "Escort for a day"), zh_en("捷陪", "Jiepei Escorts"), None, (), "#"),
    )
    said = (
        zh_en("长期险保单在 11 月 26 日无效。请选保单有效期内的日期。", "The policy is not in force on 26 November."),
        zh_en("杭州市另有医院可用，请从中选择。", "Other hospitals in Hangzhou are covered. Choose one of those."),
    )
    return {
        "title": zh_en("陪诊", "Hospital escort"),
        "kind": ESCORT,
        "site": place(),
        "where": zh_en("杭州·西湖区·文溪路 8 号", "Hangzhou, Xihu, 8 Wenxi Road"),
        "driver": zh_en("", "安享示范医院 杭州市西湖区文溪路 8 号"),
        "tier": zh_en("三级甲等", "Tier 3A"),
        "person": people()[1],
        "who_url": "/gallery/who",
        "back_url": "/gallery/places",
        "benefit_line": zh_en("陪诊·还剩 5 次", "Hospital escort, 5 left"),
        "reasons": said if reasons else (),
        "services": () if nobody else services,
    }


def times(*, wrong: bool = False) -> Context:
    asked: tuple[Question, ...] = questions(ESCORT)
    values = {"details.mobility": "walks", "details.contact_name": people()[0].name}
    errors = {"details.department": zh_en("请填写。", "This is needed.")}
    page = replace(
        times_page(),
        package=replace(package(), kind=ESCORT, fasting=""),
        venue="sit_1",
        questions=asked,
        form=Form({**values, "details.share": ""}, errors if wrong else {}),
        packages_url="",
        wait_url="",
        hint="",
    )
    return {"page": page}
