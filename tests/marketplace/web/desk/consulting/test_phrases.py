"""Canned phrases at the desk: managing them, and inserting one without a script."""

from __future__ import annotations

import re

from booking.consultation.at_desk import phrases as canned
from booking.consultation.at_desk.phrases import Wording
from tests.booking.consultation.rooms import Practice
from tests.desk import at_desk, make_member, member
from tests.marketplace.web.desk.consulting.conftest import Doctor
from tests.marketplace.web.desk.consulting.test_talk import BOARD, message_id, said, taken
from tests.marketplace.web.visitors import main
from tests.people import NOON

PAGE = "/desk/phrases"
HELLO = {"list": "own", "name": "问候", "department": "", "zh": "{name}，您好，我是{doctor}。", "en": ""}


def only(login: str) -> str:
    (found,) = canned.phrases_of(member(login)).own
    return found.id


def test_a_phrase_is_added_changed_moved_and_removed(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    assert "None yet." in main(he.get(PAGE))
    he.post(PAGE, PAGE, **HELLO)
    one = f"{PAGE}/{only('he')}"
    assert "问候" in main(he.get(PAGE)) and "{name}" in he.get(one).text
    he.post(one, one, do="change", name="打招呼", department="dermatology", zh="您好", en="Hello")
    page = main(he.get(PAGE))
    assert "打招呼" in page and "Dermatology" in page and "Hello" in page
    he.post(PAGE, PAGE, **HELLO)
    he.post(one, PAGE, do="down")
    assert [each.wording.name for each in canned.phrases_of(member("he")).own] == ["问候", "打招呼"]
    he.post(one, one, do="remove")
    assert he.get(one).status_code == 404
    assert he.send(one, {**he.hidden(PAGE), "do": "other"}).status_code == 404


def test_what_is_refused_stays_in_the_form(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    wrong = he.post(PAGE, PAGE, **{**HELLO, "zh": "{nmae}，您好"})
    assert wrong.status_code == 422 and "{nmae}，您好" in wrong.text and "f-zh-error" in wrong.text
    he.post(PAGE, PAGE, **HELLO)
    one = f"{PAGE}/{only('he')}"
    wrong = he.post(one, one, do="change", name="", department="", zh="您好", en="")
    assert wrong.status_code == 422 and "f-name-error" in wrong.text
    assert canned.phrases_of(member("he")).own[0].wording.name == "问候"


def test_shared_ones_are_seen_by_all_and_changed_by_leads_and_managers(
    app: object, practice: Practice, doctor: Doctor
) -> None:
    he, she = doctor(), doctor("she", lead=True)
    boss = at_desk(app, make_member(practice.world.provider.code, "manager", "boss"))  # type: ignore[arg-type]
    assert boss.send(PAGE, {**boss.hidden(PAGE), **HELLO}).status_code == 404, "she has none of her own"
    boss.post(PAGE, PAGE, **{**HELLO, "list": "shared"})
    (shared,) = canned.phrases_of(member("she")).shared
    one = f"{PAGE}/{shared.id}"
    assert "问候" in main(he.get(PAGE)) and he.get(one).status_code == 404
    assert he.send(one, {**he.hidden(PAGE), "do": "remove"}).status_code == 404
    she.post(one, one, do="remove")
    assert canned.phrases_of(member("he")).shared == ()


def test_a_phrase_is_inserted_with_the_names_and_nothing_is_sent(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    canned.add(member("he"), Wording("问候", "", HELLO["zh"], ""), shared=False, now=NOON)
    found = taken(practice, he)
    page = he.get(f"{BOARD}/{found}")
    named = message_id(page.text)
    assert 'data-insert="沈静宜，您好，我是Dr he。"' in page.text
    shown = he.post(
        f"{BOARD}/{found}/phrase", f"{BOARD}/{found}", phrase=only("he"), text="看过了", client_message_id=named
    )
    written = re.search(r'<textarea[^>]*id="say"[^>]*>\n(.*?)</textarea>', shown.text, re.DOTALL)
    assert shown.status_code == 200 and written is not None
    assert written[1] == "看过了\n沈静宜，您好，我是Dr he。"
    assert message_id(shown.text) == named and said(practice, found) == [("customer", "嗓子疼")]


def test_only_who_has_the_patient_inserts_her_name(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    canned.add(member("she"), Wording("问候", "", HELLO["zh"], ""), shared=False, now=NOON)
    found = taken(practice, he)
    form = {**she.hidden(BOARD), "phrase": only("she"), "text": ""}
    assert she.send(f"{BOARD}/{found}/phrase", form).status_code == 404
    form = {**he.hidden(BOARD), "phrase": only("she"), "text": ""}
    assert he.send(f"{BOARD}/{found}/phrase", form).status_code == 404, "it is a colleague's own"
