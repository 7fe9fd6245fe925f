"""The page that begins a consultation, from the benefit's card to the conversation."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select
from werkzeug.datastructures import MultiDict

from booking.consultation.models import Conversation
from booking.consultation.read import messages_after
from booking.models import Booking
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.database.db import reading
from tests.booking.consultation.rooms import Practice, make_practice
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, make_customer
from tests.pictures import make_picture
from tests.providers.partner_api.answering import work
from tests.world import set_provider
from vip.customers.family import NewMember, add_member

PHONE = "13800000021"
PAGE = "/consultation/new"


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    return create_app()


@pytest.fixture
def practice(db: Engine) -> Iterator[Practice]:
    with clock.frozen(NOON):
        yield make_practice(phone=PHONE)


def filled(practice: Practice, **changes: str) -> dict[str, str]:
    given = {
        "for": practice.world.beneficiary.public_id,
        "offer": practice.world.offer.public_id,
        "entitlement": practice.world.entitlement.public_id,
        "department": "dermatology",
        "language": "en",
        "idempotency_key": "k1",
    }
    return {**given, **changes}


def opened() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Conversation)) or 0


def test_the_card_of_the_benefit_leads_to_it(app: Flask, practice: Practice) -> None:
    page = Visitor.signed_in(app, PHONE).get("/")
    assert f'href="{PAGE}?entitlement={practice.world.entitlement.public_id}"' in page.text
    assert "Start now" in main(page)


@pytest.mark.parametrize(("language", "department"), [("zh", "皮肤科"), ("en", "Dermatology")])
def test_it_offers_who_answers_about_what_and_in_which_language(
    app: Flask, practice: Practice, language: str, department: str
) -> None:
    page = main(Visitor.signed_in(app, PHONE, language).get(PAGE))
    assert department in page and "沈静宜" in page


def test_it_opens_the_consultation_and_leads_to_its_conversation(app: Flask, practice: Practice) -> None:
    visitor = Visitor.signed_in(app, PHONE)
    answer = visitor.post(PAGE, page=PAGE, **filled(practice))
    assert answer.status_code == 303
    with reading() as session:
        row = session.scalars(select(Conversation)).one()
        assert (row.department, row.language) == ("dermatology", "en")
        booking = session.scalars(select(Booking.public_id)).one()
    assert answer.location == f"/consultation/{row.public_id}"
    assert f'href="/bookings/{booking}"' in visitor.get(answer.location).text
    assert f'href="{answer.location}"' in visitor.get(f"/bookings/{booking}").text


def test_a_form_that_is_sent_twice_opens_one_and_another_choice_another(app: Flask, practice: Practice) -> None:
    visitor = Visitor.signed_in(app, PHONE)
    first, again, other = (
        visitor.post(PAGE, page=PAGE, **filled(practice, department=department)).location
        for department in ("general", "general", "dermatology")
    )
    assert first == again != other
    assert opened() == 2


def test_a_mother_who_has_not_agreed_is_not_asked_for(app: Flask, practice: Practice) -> None:
    mother = add_member(practice.world.principal, NewMember("mother", "顾婉清", "female", date(1954, 2, 18)), NOON)
    answer = Visitor.signed_in(app, PHONE).post(PAGE, page=PAGE, **filled(practice, **{"for": mother.public_id}))
    assert answer.status_code == 403
    assert 'role="alert"' in answer.text
    assert opened() == 0


def test_a_department_that_is_not_there_is_refused(app: Flask, practice: Practice) -> None:
    answer = Visitor.signed_in(app, PHONE).post(PAGE, page=PAGE, **filled(practice, department="surgery"))
    assert answer.status_code == 422
    assert opened() == 0


def test_without_anybody_who_answers_there_is_nothing_to_begin(app: Flask, practice: Practice) -> None:
    set_provider(practice.world.provider, adapter="open_protocol")
    page = Visitor.signed_in(app, PHONE).get(PAGE)
    assert "No doctor can be asked here at the moment." in main(page)
    assert "<form" not in re.search(r"(?s)<main\b.*</main>", page.text)[0]  # type: ignore[index]


def test_a_conversation_of_somebody_else_is_not_there(app: Flask, practice: Practice) -> None:
    conversation = practice.open().conversation
    make_customer("13800000099")
    assert Visitor.signed_in(app, "13800000099").get(f"/consultation/{conversation}").status_code == 404


WAITS = [("zh", "排队等待医生", "等待医生"), ("en", "In the doctors' queue", "Waiting for the doctor")]


@pytest.mark.parametrize(("language", "queued", "waits"), WAITS)
def test_its_booking_says_that_it_waits_and_names_no_day_to_come(
    app: Flask, practice: Practice, language: str, queued: str, waits: str
) -> None:
    booking = practice.open().booking
    work(practice.world)
    visitor = Visitor.signed_in(app, PHONE, language)
    page = visitor.get(f"/bookings/{booking}")
    shown = main(page)
    assert queued in shown and waits in shown
    assert "calendar.ics" not in page.text and "ID card" not in shown and "身份证" not in shown
    assert queued in main(visitor.get("/bookings"))


def test_after_the_first_answer_it_is_under_way_and_offers_no_cancel(app: Flask, practice: Practice) -> None:
    opened_one = practice.open()
    work(practice.world)
    visitor = Visitor.signed_in(app, PHONE)
    assert "Cancel this booking?" in visitor.get(f"/bookings/{opened_one.booking}").text
    practice.answer(opened_one.conversation, "多久了？")
    page = visitor.get(f"/bookings/{opened_one.booking}")
    assert "The consultation is under way" in main(page)
    assert urlsplit(f"/bookings/{opened_one.booking}/cancel").path not in page.text
    refused = visitor.post(f"/bookings/{opened_one.booking}/cancel", page="/me")
    assert refused.status_code == 409
    assert "A doctor closes it, or it ends by itself." in main(refused)


def test_what_troubles_her_is_the_first_message_once(app: Flask, practice: Practice) -> None:
    visitor = Visitor.signed_in(app, PHONE)
    form = filled(
        practice, **{"details.symptoms": "A rash\r\nfor days", "details.since": "days", "details.pregnancy": ""}
    )
    first, again = (visitor.post(PAGE, page=PAGE, **form).location for _ in range(2))
    assert first == again
    said = messages_after(practice.world.principal, first.rpartition("/")[2], 0, now=NOON)
    assert [each.text for each in said] == ["A rash\nfor days"]
    page = visitor.get(first)
    assert 'data-total="90"' in page.text


def with_pictures(practice: Practice, *contents: bytes, **changes: str) -> MultiDict[str, Any]:
    files = [("picture", (io.BytesIO(content), f"IMG_{n}.jpg")) for n, content in enumerate(contents)]
    return MultiDict([*filled(practice, **changes).items(), *files])


def test_pictures_of_the_form_stand_in_the_conversation_once(app: Flask, practice: Practice) -> None:
    visitor = Visitor.signed_in(app, PHONE)
    token = visitor.hidden(PAGE)["csrf_token"]
    shown = [make_picture(), make_picture("PNG", 80, 40)]
    first, again = (
        visitor.client.post(
            PAGE, data=with_pictures(practice, *shown, csrf_token=token, **{"details.symptoms": "A rash"})
        ).location
        for _ in range(2)
    )
    assert first == again
    said = messages_after(practice.world.principal, first.rpartition("/")[2], 0, now=NOON)
    assert [each.kind for each in said] == ["text", "picture", "picture"]
    assert [(each.picture.width, each.picture.height) for each in said[1:] if each.picture] == [(64, 48), (80, 40)]


def test_a_picture_alone_is_her_first_message(app: Flask, practice: Practice) -> None:
    visitor = Visitor.signed_in(app, PHONE)
    form = with_pictures(practice, make_picture(), csrf_token=visitor.hidden(PAGE)["csrf_token"])
    assert 'data-total="90"' in visitor.get(visitor.client.post(PAGE, data=form).location).text


@pytest.mark.parametrize(
    ("contents", "words"), [([b"%PDF-1.7 no picture"], "JPEG"), ([make_picture()] * 4, "At most 3 pictures")]
)
def test_pictures_that_cannot_be_taken_open_nothing(
    app: Flask, practice: Practice, contents: list[bytes], words: str
) -> None:
    visitor = Visitor.signed_in(app, PHONE)
    form = with_pictures(practice, *contents, csrf_token=visitor.hidden(PAGE)["csrf_token"], department="general")
    answer = visitor.client.post(PAGE, data=form, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert words in re.findall(r'(?s)id="f-picture-error">.*?</p>', answer.text)[0]
    assert opened() == 0


def test_an_answer_that_the_schema_refuses_stands_at_its_field(app: Flask, practice: Practice) -> None:
    form = filled(practice, **{"details.medicines": "x" * 501})
    answer = Visitor.signed_in(app, PHONE).post(PAGE, page=PAGE, **form)
    assert answer.status_code == 422
    assert 'id="f-details.medicines-error"' in answer.text and "x" * 501 in answer.text
    assert opened() == 0


def test_it_says_for_whom_it_can_not_be_and_why(app: Flask, practice: Practice) -> None:
    mother = add_member(practice.world.principal, NewMember("mother", "顾婉清", "female", date(1954, 2, 18)), NOON)
    page = Visitor.signed_in(app, PHONE).get(PAGE)
    assert re.search(rf'value="{mother.public_id}" disabled', page.text)
    assert f'href="/me/family/{mother.public_id}/consent"' in page.text
    assert "has not agreed yet" in main(page)


def test_two_taps_lead_from_home_to_the_conversation(app: Flask, practice: Practice) -> None:
    """The card's link, and the button: everything that has to be chosen is chosen."""
    visitor = Visitor.signed_in(app, PHONE)
    link = re.search(rf'href="({PAGE}[^"]*)"', visitor.get("/").text)
    assert link is not None
    page = visitor.get(link[1])
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    form["for"] = re.findall(r'name="for" value="([^"]+)" checked', page.text)[0]
    form["department"] = re.findall(r'<option value="([^"]+)" selected', page.text)[0]
    form["language"] = re.findall(r'name="language" value="([^"]+)" checked', page.text)[0]
    assert visitor.send(PAGE, form).status_code == 303
    assert opened() == 1
