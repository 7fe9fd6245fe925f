"""The page of a conversation in each state, by its forms alone, as it works without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from booking.consultation.close import close
from booking.consultation.models import Conversation, ConversationMessage
from booking.consultation.queue import hand_over
from booking.consultation.read import conversation_of, mark_read, messages_after
from booking.consultation.summary import NextService, Summary
from booking.pledges.keep import keep_pledges
from booking.ratings.rate import rating_of
from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from providers.staff import shifts
from tests.booking.consultation.rooms import Practice, make_practice
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, make_customer
from tests.pictures import make_picture
from tests.providers.partner_api.answering import work

PHONE = "13800000021"


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    return create_app()


@pytest.fixture
def practice(db: Engine) -> Iterator[Practice]:
    with clock.frozen(NOON):
        yield make_practice(phone=PHONE)


@pytest.fixture
def visitor(app: Flask, practice: Practice) -> Visitor:
    return Visitor.signed_in(app, PHONE)


@pytest.fixture
def talk(practice: Practice) -> str:
    """A conversation in the queue; its id."""
    opened = practice.open()
    work(practice.world)
    return opened.conversation


def address(talk: str, *more: str) -> str:
    return "/".join(("/consultation", talk, *more))


def say(visitor: Visitor, talk: str, text: str, key: str = "message-1", **more: str) -> TestResponse:
    return visitor.post(address(talk, "messages"), page=address(talk), text=text, client_message_id=key, **more)


def texts(practice: Practice, talk: str) -> list[str | None]:
    return [each.text for each in messages_after(practice.world.principal, talk, 0, now=clock.now())]


def flag(talk: str) -> None:
    with transaction() as session:
        row = session.scalars(select(Conversation).where(Conversation.public_id == talk)).one()
        row.flagged_at = NOON


def test_before_the_first_words_it_asks_for_them_and_says_what_is_pledged(visitor: Visitor, talk: str) -> None:
    shown = main(visitor.get(address(talk)))
    assert "What would you like to ask?" in shown
    assert "A doctor answers within 90 s of your first words." in shown


def test_the_first_words_begin_the_clock(visitor: Visitor, practice: Practice, talk: str) -> None:
    say(visitor, talk, "I have a rash.")
    page = visitor.get(address(talk))
    assert 'data-left="90" data-total="90"' in page.text
    with clock.frozen(NOON + timedelta(seconds=28)):
        page = visitor.get(address(talk))
    assert 'data-left="62" data-total="90"' in page.text
    assert "1 doctor on shift, nobody ahead of you" in main(page)


def test_words_that_are_sent_twice_are_said_once(visitor: Visitor, practice: Practice, talk: str) -> None:
    say(visitor, talk, "I have a rash.")
    say(visitor, talk, "I have a rash.")
    assert texts(practice, talk) == ["I have a rash."]


def test_words_that_are_refused_stand_in_the_field_with_the_reason(visitor: Visitor, talk: str) -> None:
    answer = say(visitor, talk, "x" * 4_001, key="message-2")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text and "4000" in main(answer) + answer.text
    assert "x" * 4_001 in answer.text
    assert 'value="message-2"' in answer.text, "the next try is the same message"


def test_words_for_one_that_is_closed_meanwhile_are_not_lost(visitor: Visitor, practice: Practice, talk: str) -> None:
    visitor.post(f"/consultation/{talk}/messages", page=address(talk), text="头痛", client_message_id="message-1")
    practice.answer(talk, "休息")
    form = visitor.hidden(address(talk))
    close(practice.clinician, talk, Summary("疲劳"), now=NOON)
    answer = visitor.send(
        f"/consultation/{talk}/messages", {**form, "text": "还有一个问题", "client_message_id": "message-2"}
    )
    assert answer.status_code == 409
    page = main(answer)
    assert "Not sent:" in page and "还有一个问题" in page


def test_other_words_from_a_page_of_before_can_be_sent_as_a_new_message(
    visitor: Visitor, practice: Practice, talk: str
) -> None:
    say(visitor, talk, "I have a rash.", key="message-1")
    answer = say(visitor, talk, "It itches.", key="message-1")
    assert answer.status_code == 422 and "It itches." in answer.text
    fresh = re.search(r'id="say-form".*?name="client_message_id" value="([^"]+)"', answer.text, re.DOTALL)
    assert fresh is not None and fresh[1] != "message-1"
    say(visitor, talk, "It itches.", key=fresh[1])
    assert texts(practice, talk) == ["I have a rash.", "It itches."]


def test_a_script_is_answered_in_json(app: Flask, visitor: Visitor, talk: str) -> None:
    fields = {**visitor.hidden(address(talk)), "text": "A rash", "client_message_id": "message-1"}
    headers = {"Accept": "application/json"}
    answer = visitor.client.post(address(talk, "messages"), data=fields, headers=headers)
    assert (answer.status_code, answer.json) == (200, {"seq": 1})
    refused = visitor.client.post(address(talk, "messages"), data={**fields, "text": "Other"}, headers=headers)
    assert refused.status_code == 422 and refused.json["error"]


def test_an_answer_shows_the_doctor_and_that_the_pledge_was_kept(
    visitor: Visitor, practice: Practice, talk: str
) -> None:
    practice.ask(talk, "A rash")
    practice.answer(talk, "Since when?", now=NOON + timedelta(seconds=41))
    shown = main(visitor.get(address(talk)))
    assert "何医生" in shown and "Attending physician, is with you now" in shown
    assert "41 s" in shown and "Kept" in shown and "90 s pledged" in shown
    assert "Since when?" in shown


HANDED_BACK = [("zh", "正在转给另一位医生", "前面没有人"), ("en", "Another doctor takes over", "nobody ahead of you")]


@pytest.mark.parametrize(("language", "told", "ahead"), HANDED_BACK)
def test_who_is_handed_back_is_told_that_another_doctor_takes_over(
    app: Flask, practice: Practice, talk: str, language: str, told: str, ahead: str
) -> None:
    visitor = Visitor.signed_in(app, PHONE, language)
    practice.ask(talk, "头痛")
    practice.answer(talk, "多久了？")
    before = visitor.get(f"/consultation/{talk}")
    assert told not in main(before)
    tag = visitor.get(f"/consultation/{talk}/live?after=2").headers["ETag"]
    hand_over(practice.clinician, talk, None, now=NOON)
    page = main(visitor.get(f"/consultation/{talk}"))
    assert told in page and ahead in page and "What would you like to do" not in page
    asked = {"If-None-Match": tag, "Accept-Language": language}
    live = visitor.client.get(f"/consultation/{talk}/live?after=2", headers=asked)
    assert live.status_code == 200 and told in live.text


def test_a_doctor_who_wrote_before_she_asked_has_not_answered_her_yet(
    visitor: Visitor, practice: Practice, talk: str
) -> None:
    practice.answer(talk, "我看了您填写的情况", now=NOON - timedelta(seconds=20))
    practice.ask(talk, "要吃药吗？")
    page = main(visitor.get(address(talk)))
    assert "Answered in" not in page and "Late" not in page and "Kept" not in page
    with clock.frozen(NOON + timedelta(seconds=30)):
        practice.answer(talk, "暂时不用", now=NOON + timedelta(seconds=30))
        page = main(visitor.get(address(talk)))
    assert "Answered in 30 s" in page and "Kept" in page


def test_a_late_answer_is_called_late_and_says_what_it_gave(visitor: Visitor, practice: Practice, talk: str) -> None:
    practice.ask(talk, "A rash")
    keep_pledges(now=NOON + timedelta(seconds=91))
    with clock.frozen(NOON + timedelta(seconds=92)):
        waiting = main(visitor.get(address(talk)))
    assert "We are late. Your question comes first now" in waiting
    practice.answer(talk, "Since when?", now=NOON + timedelta(seconds=125))
    shown = main(visitor.get(address(talk)))
    assert "Late" in shown and "1 more consultation is yours for it." in shown and "Kept" not in shown


def test_with_nobody_on_shift_there_is_a_choice(visitor: Visitor, practice: Practice, talk: str) -> None:
    practice.ask(talk, "A rash")
    shifts_end(practice)
    page = visitor.get(address(talk))
    assert "No doctor who could answer it is on shift just now." in main(page)
    moment = re.search(r'<option value="([^"]+)"', page.text)
    assert moment is not None
    visitor.post(address(talk, "choice"), page=address(talk), choice="call_back", call_back_at=moment[1])
    assert "You asked to be called back:" in main(visitor.get(address(talk)))
    visitor.post(address(talk, "choice"), page=address(talk), choice="wait")
    assert "You chose to wait." in main(visitor.get(address(talk)))


def test_a_call_back_is_offered_only_while_the_benefit_is_reserved(
    visitor: Visitor, practice: Practice, talk: str
) -> None:
    practice.ask(talk, "A rash")
    shifts_end(practice)
    with clock.frozen(NOON + timedelta(hours=22, minutes=30)):
        page = visitor.get(address(talk))
    assert "Wait here" in main(page) and "call_back_at" not in page.text


def test_a_moment_that_is_none_is_refused_in_words(visitor: Visitor, practice: Practice, talk: str) -> None:
    answer = visitor.post(address(talk, "choice"), page=address(talk), choice="call_back", call_back_at="soon")
    assert answer.status_code == 303
    assert 'class="alert alert--bad"' in visitor.get(address(talk)).text


def shifts_end(practice: Practice) -> None:
    with transaction() as session:
        for shift in session.scalars(shifts.open_shift(practice.clinician.id, practice.clinician.provider_id)):
            shift.ended_at = NOON


def test_a_sign_of_an_emergency_comes_before_everything_else(visitor: Visitor, practice: Practice, talk: str) -> None:
    practice.ask(talk, "A rash")
    assert "This may be an emergency" not in main(visitor.get(address(talk)))
    practice.ask(talk, "My chest hurts and I can't breathe")
    page = visitor.get(address(talk))
    assert "Chest pain" in main(page)
    before, _, after = page.text.partition('role="alert"')
    assert "This may be an emergency. Dial 120 now." in after
    assert 'href="tel:120"' in after and 'data-part="head"' not in before


def test_the_live_part_answers_what_is_new_and_else_nothing(visitor: Visitor, practice: Practice, talk: str) -> None:
    practice.ask(talk, "A rash")
    page = visitor.get(address(talk))
    etag = re.search(r"data-tag=\"([^ ]+)\"\n? ", page.text)
    first = visitor.get(address(talk, "live?after=1"))
    assert "A rash" not in first.text
    tag = first.headers["ETag"]
    assert etag is not None
    assert visitor.get(address(talk, "live?after=1"), headers={"If-None-Match": tag}).status_code == 304
    with clock.frozen(NOON + timedelta(seconds=20)):
        still = visitor.get(address(talk, "live?after=1"), headers={"If-None-Match": tag})
        assert still.status_code == 304, "seconds that run down are no news"
    practice.answer(talk, "Since when?", now=NOON + timedelta(seconds=30))
    news = visitor.get(address(talk, "live?after=1"), headers={"If-None-Match": tag})
    assert news.status_code == 200
    assert "Since when?" in news.text and "A rash" not in news.text
    assert news.headers["ETag"] != tag


@pytest.mark.parametrize("after", ["", "x", "-1", "²", "9" * 30])
def test_a_number_that_is_none_begins_at_the_beginning(
    visitor: Visitor, practice: Practice, talk: str, after: str
) -> None:
    practice.ask(talk, "A rash")
    assert "A rash" in visitor.get(address(talk, "live"), query_string={"after": after}).text


def test_reading_and_typing_are_noted(visitor: Visitor, practice: Practice, talk: str) -> None:
    practice.ask(talk, "A rash")
    practice.answer(talk, "Since when?")
    me = practice.world.principal
    assert conversation_of(me, talk, NOON).unread == 1
    visitor.post(address(talk, "read"), page=address(talk), seen="2")
    assert conversation_of(me, talk, NOON).unread == 0
    visitor.post(address(talk, "typing"), page=address(talk))
    assert conversation_of(practice.clinician, talk, NOON).typing
    practice.answer(talk, "Does it itch?")
    say(visitor, talk, "For days", seen="3")
    assert conversation_of(me, talk, NOON).unread == 0


def test_what_the_doctor_has_read_is_marked(visitor: Visitor, practice: Practice, talk: str) -> None:
    practice.ask(talk, "A rash")
    assert "Delivered" in main(visitor.get(address(talk)))
    mark_read(practice.clinician, talk, 1, NOON)
    shown = main(visitor.get(address(talk)))
    assert "Read" in shown and "Delivered" not in shown


def test_a_picture_is_sent_by_a_form_and_opens_in_full_size(visitor: Visitor, practice: Practice, talk: str) -> None:
    fields = {
        **visitor.hidden(address(talk)),
        "client_message_id": "picture-1",
        "picture": (BytesIO(make_picture()), "a.jpg"),
    }
    answer = visitor.client.post(address(talk, "pictures"), data=fields, content_type="multipart/form-data")
    assert answer.status_code == 303
    page = visitor.get(address(talk))
    found = re.search(rf'href="({address(talk, "pictures")}/[^"/]+)"', page.text)
    assert found is not None
    for path in (found[1], f"{found[1]}/thumbnail"):
        shown = visitor.get(path)
        assert shown.mimetype == "image/jpeg" and shown.data.startswith(b"\xff\xd8")
        assert shown.headers["Cache-Control"] == "no-store"


def test_a_picture_that_is_none_is_refused_in_words(visitor: Visitor, talk: str) -> None:
    fields = {**visitor.hidden(address(talk)), "client_message_id": "picture-1", "picture": (BytesIO(b"no"), "a.jpg")}
    answer = visitor.client.post(address(talk, "pictures"), data=fields, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert 'id="f-text-error" role="alert"' in answer.text


def finish(practice: Practice, talk: str) -> None:
    practice.ask(talk, "A rash")
    practice.answer(talk, "Since when?")
    summary = Summary("Eczema.", "Use the ointment.", NextService("online_consultation", "dermatology"))
    close(practice.clinician, talk, summary, now=NOON)


def test_a_closed_one_shows_its_summary_and_books_what_should_follow(
    visitor: Visitor, practice: Practice, talk: str
) -> None:
    finish(practice, talk)
    page = visitor.get(address(talk))
    shown = main(page)
    assert "Eczema." in shown and "Use the ointment." in shown
    following = re.search(r'href="(/consultation/new\?[^"]+department=dermatology)"', page.text)
    assert following is not None
    assert 'value="dermatology" selected' in visitor.get(following[1].replace("&amp;", "&")).text
    assert 'name="text"' not in page.text
    assert "To the summary in your reports" in shown


def test_one_question_is_answered_and_changed(visitor: Visitor, practice: Practice, talk: str) -> None:
    finish(practice, talk)
    booking = conversation_of(practice.world.principal, talk, NOON).booking_id
    wrong = visitor.post(address(talk, "rating"), page=address(talk), words="Quick")
    assert wrong.status_code == 422 and "Choose one to five stars." in main(wrong) and "Quick" in wrong.text
    assert rating_of(practice.world.principal, booking) is None
    visitor.post(address(talk, "rating"), page=address(talk), stars="4", words="Quick")
    visitor.post(address(talk, "rating"), page=address(talk), stars="5", words="Quick")
    found = rating_of(practice.world.principal, booking)
    assert found is not None and (found.stars, found.words) == (5, "Quick")
    assert "You can change it until" in main(visitor.get(address(talk)))


def test_it_is_opened_again_within_a_day_and_not_later(visitor: Visitor, practice: Practice, talk: str) -> None:
    finish(practice, talk)
    visitor.post(address(talk, "reopen"), page=address(talk))
    assert 'name="text"' in visitor.get(address(talk)).text
    close(practice.clinician, talk, Summary("Eczema."), now=NOON)
    with clock.frozen(NOON + timedelta(hours=24)):
        page = visitor.get(address(talk))
        assert "Open it again" not in main(page) and "Ask again" in page.text
        visitor.post(address(talk, "reopen"), page="/me")
        assert 'class="alert alert--bad"' in visitor.get(address(talk)).text


def test_a_question_is_taken_back_after_it_was_asked_whether_it_is_meant(
    visitor: Visitor, practice: Practice, talk: str
) -> None:
    practice.ask(talk, "A rash")
    link = re.search(r'href="(/bookings/[^"]+/cancel)"', visitor.get(address(talk)).text)
    assert link is not None
    visitor.post(link[1], page=link[1])
    work(practice.world)
    page = visitor.get(address(talk))
    assert "This consultation did not take place" in main(page) and 'name="text"' not in page.text


def test_words_whose_key_is_gone_are_called_erased(
    visitor: Visitor, practice: Practice, talk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice.ask(talk, "A rash")
    monkeypatch.setattr("booking.consultation.rows.text_of", lambda message, key: None)
    assert "These words were erased." in main(visitor.get(address(talk)))


@pytest.mark.parametrize("path", ["live", "pictures/pic_1", "pictures/pic_1/thumbnail"])
def test_nothing_of_a_conversation_is_there_for_somebody_else(
    app: Flask, practice: Practice, talk: str, path: str
) -> None:
    make_customer("13800000099")
    assert Visitor.signed_in(app, "13800000099").get(address(talk, path)).status_code == 404


def test_a_page_says_nothing_in_the_log(visitor: Visitor, talk: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(visitor, talk, "A rash that nobody reads about")
    visitor.get(address(talk))
    heard = capsys.readouterr()
    assert "nobody reads about" not in heard.out + heard.err
    with reading() as session:
        assert session.scalars(select(ConversationMessage.kind)).all() == ["text"]
