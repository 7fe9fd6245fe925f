"""A new benefit kind is one module: found, booked, changed, reported, reminded of and shown in its own words."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import Engine

from booking.changes.reschedule import reschedule
from booking.messages import inbox
from booking.messages.remind import due_at, remind_of_bookings
from booking.states import BookingState
from marketplace.app import create_app
from marketplace.catalog import kinds
from marketplace.catalog.english.sites import english_site
from marketplace.core import clock
from marketplace.core.paging import MAX_LIMIT
from marketplace.core.text import Language
from marketplace.messages import compose
from providers.port import Confirmed
from providers.reported import ReportItem
from tests.booking.test_moves import go
from tests.marketplace.api.caller import Caller
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON
from tests.reports import LATER, deliver
from tests.world import DAY, FakeAdapter, World, booking_row, make_world, one_pass

PHONE = "13800000021"
MODULE = """
from marketplace.catalog.benefit_kind import Advice, BenefitKind, Message, Traits, Words
from marketplace.core.text import Text

KIND = BenefitKind(
    code="eye_exam",
    name=Text("验光", "Eye exam"),
    traits=Traits(supply="slot", report=True, report_days=2),
    package_schema={"type": "object"},
    details_schema={"type": "object"},
    check_eligible=lambda package, sex, birth_date, on_date: None,
    words=Words(
        service=Text("验光", "the eye exam"),
        services=Text("验光", "eye exams"),
        place=Text("眼镜店", "the optician"),
        person=Text("验光人", "the person whose eyes are tested"),
        for_whom=Text("验光人", "Eyes of"),
        report=Text("验光单", "Eyesight record"),
        check_in=Text("到店报到", "Arrive at the shop"),
        began=Text("验光开始", "The eye exam began"),
        under_way=Text("正在验光", "Your eyes are being tested"),
        done=Text("验光完成", "Eye exam done"),
        bring=Text("请带上现在戴的眼镜。", "Bring the glasses you wear now."),
        brought=Text("眼镜", "glasses"),
        advice=(
            Advice("info", Text("摘掉隐形眼镜", "Take contact lenses out"), Text("提前一天。", "A day before.")),
        ),
        messages={
            "report_ready": Message(Text("验光单到了", "Your eyesight record is here"), Text("{where}", "{where}")),
        },
    ),
)
"""
SIGHT = (ReportItem("裸眼视力", "0.8", section="视力"),)
FOREIGN = re.compile(r"hospital|体检|医院|到院|health.check|\bthe check\b|is checked", re.IGNORECASE)
LANGUAGES = ("zh", "en")


@pytest.fixture
def module() -> str:
    """The text of the one module."""
    return MODULE


@pytest.fixture
def eye_exam(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more module where kinds are looked for, and nothing else."""
    (tmp_path / "eye_exam.py").write_text(module)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    kinds.kinds.cache_clear()
    yield
    kinds.kinds.cache_clear()
    sys.modules.pop(f"{kinds.__name__}.eye_exam", None)


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    """The application, made before the module was there."""
    return create_app()


@pytest.fixture
def world(db: Engine, eye_exam: None) -> Iterator[World]:
    """Somebody with two eye exams, and an optician with three times."""
    with clock.frozen(NOON):
        yield make_world(phone=PHONE, kind="eye_exam", place_name="清目眼镜店", package={"lenses": 2})


def confirmed(world: World) -> str:
    """A booking that the optician has confirmed."""
    booking = world.submit()
    assert one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON) == ["applied"]
    return booking


def shown(app: Flask, path: str, language: str) -> str:
    """What a page says in a language, its title included; nothing on it is another kind's."""
    answer = Visitor.signed_in(app, PHONE, language).get(path)
    assert answer.status_code == 200, path
    assert FOREIGN.findall(answer.text) == [], f"{path} in {language}"
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def told(world: World, kind: str, language: Language) -> compose.Said:
    """What the customer is notified, as her inbox holds it."""
    page = inbox.notices(world.principal, cursor=None, limit=MAX_LIMIT)
    notice = next(it for it in page.items if it.kind == kind)
    said = compose.say(notice.kind, notice.facts, language, as_of=NOON)
    assert FOREIGN.findall(f"{said.title} {said.text}") == []
    return said


def test_it_is_searched(app: Flask, world: World) -> None:
    found = Caller.of(app, PHONE).get(f"/offers?benefit=eye_exam&city={quote('杭州市')}").get_json()
    assert [it["id"] for it in found["items"]] == [world.offer.public_id]
    assert Caller.of(app, PHONE).get("/offers?benefit=health_check").get_json()["items"] == []


def test_it_is_booked_and_confirmed_by_its_provider(world: World) -> None:
    booking = booking_row(confirmed(world))
    assert (booking.kind, booking.state) == ("eye_exam", BookingState.CONFIRMED)
    assert told(world, "confirmed", "zh").text.endswith("请带上现在戴的眼镜。")
    assert told(world, "confirmed", "en").text.endswith("Bring the glasses you wear now.")


def test_it_is_changed(world: World) -> None:
    booking = confirmed(world)
    reschedule(world.principal, booking, world.slots[1].public_id, now=NOON)
    assert one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 2)]), now=NOON) == ["applied"]
    assert booking_row(booking).starts_at == world.slots[1].starts_at
    assert told(world, "changed", "en").title == "Your booking has moved"


def test_it_is_reminded_of_with_what_to_bring(world: World) -> None:
    confirmed(world)
    assert remind_of_bookings(now=due_at(DAY, "Asia/Shanghai")) == 1
    assert told(world, "reminder", "zh").text.endswith("请带上现在戴的眼镜。")
    assert told(world, "reminder", "en").text.endswith("Bring the glasses you wear now.")


def test_it_is_reported_in_a_message_of_its_own(app: Flask, world: World) -> None:
    booking = confirmed(world)
    report = deliver(world, booking, items=SIGHT, conclusion="视力良好。")
    assert told(world, "report_ready", "zh").title == "验光单到了"
    assert told(world, "report_ready", "en").title == "Your eyesight record is here"
    with clock.frozen(LATER):
        assert "验光单" in shown(app, f"/reports/{report}", "zh")
        assert "Eyesight record" in shown(app, f"/reports/{report}", "en")
        for language in LANGUAGES:
            place = "清目眼镜店" if language == "zh" else english_site("清目眼镜店")
            assert place in shown(app, "/reports", language)


def test_its_report_is_promised_by_its_own_trait(world: World) -> None:
    booking = confirmed(world)
    go(booking, BookingState.FULFILLED)
    through = clock.today("Asia/Shanghai", NOON) + timedelta(days=2)
    assert booking_row(booking).report_due_at == clock.start_of(through + timedelta(days=1), None, "Asia/Shanghai")


@pytest.mark.parametrize(
    ("module", "promised"), [(MODULE, True), (MODULE.replace("report=True", "report=False"), False)]
)
def test_a_report_is_promised_on_the_page_only_by_a_kind_that_has_one(app: Flask, world: World, promised: bool) -> None:
    assert ("Report arrives" in shown(app, f"/bookings/{confirmed(world)}", "en")) is promised


@pytest.mark.parametrize(("language", "name"), [("zh", "验光"), ("en", "Eye exam")])
def test_the_pages_before_a_booking_speak_its_words(app: Flask, world: World, language: str, name: str) -> None:
    assert name in shown(app, "/", language)
    assert name in shown(app, "/places?benefit=eye_exam", language)
    shown(app, f"/offers/{world.offer.public_id}/times", language)
    held = world.hold()
    assert name in shown(app, f"/bookings/{held}/confirm", language)


STEPS = [
    ("zh", "等眼镜店答复", "眼镜店已确认", "摘掉隐形眼镜", "正在验光", "验光完成"),
    (
        "en",
        "Waiting for the optician",
        "Confirmed by the optician",
        "Take contact lenses out",
        "Your eyes are being tested",
        "Eye exam done",
    ),
]


@pytest.mark.parametrize(("language", "asked", "firm", "advice", "under_way", "done"), STEPS)
def test_the_page_of_a_booking_speaks_its_words_in_every_state(
    app: Flask, world: World, language: str, asked: str, firm: str, advice: str, under_way: str, done: str
) -> None:
    booking = world.submit()
    assert asked in shown(app, f"/bookings/{booking}", language)
    one_pass(world, FakeAdapter(answers=[Confirmed("R-1", 1)]), now=NOON)
    page = shown(app, f"/bookings/{booking}", language)
    assert firm in page and advice in page
    go(booking, BookingState.IN_SERVICE)
    assert under_way in shown(app, f"/bookings/{booking}", language)
    go(booking, BookingState.FULFILLED)
    assert done in shown(app, f"/bookings/{booking}", language)
    for path in ("/bookings", "/benefits", "/notices"):
        shown(app, path, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_front_door_names_it_beside_the_others(app: Flask, world: World, language: str) -> None:
    page = Visitor(app, language).get("/sign-in").text
    named = {"zh": "验光、体检、陪诊和在线问诊", "en": "eye exams, health checks, hospital escorts, and "}
    assert named[language] in page
