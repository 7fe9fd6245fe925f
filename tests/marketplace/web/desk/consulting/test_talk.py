"""A conversation at the clinician's desk."""

from __future__ import annotations

import re
from io import BytesIO

from sqlalchemy import func, insert, select

from booking.consultation.at_desk.patient import REPORT_SHOWN
from booking.consultation.models import Conversation, ConversationMessage, ConversationRead
from booking.consultation.read import SHOWN, conversation_of, messages_after
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from tests.booking.consultation.long import make_long
from tests.booking.consultation.rooms import Practice
from tests.desk import at_desk, make_member, member
from tests.marketplace.web.desk.consulting.conftest import Doctor
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.pictures import make_picture

BOARD = "/desk/consultations"


def asked(practice: Practice, text: str = "嗓子疼") -> str:
    opened = practice.open(details={"since": "days", "allergies": "青霉素"}).conversation
    practice.ask(opened, text)
    return opened


def taken(practice: Practice, doctor: Visitor) -> str:
    """One that the doctor has accepted."""
    found = asked(practice)
    assert doctor.post(f"{BOARD}/{found}/accept", BOARD).status_code == 303
    return found


def row(conversation: str) -> Conversation:
    with reading() as session:
        return session.scalars(select(Conversation).where(Conversation.public_id == conversation)).one()


def said(practice: Practice, conversation: str) -> list[tuple[str, str | None]]:
    return [(it.author, it.text) for it in messages_after(practice.world.principal, conversation, 0, now=NOON)]


def looks(action: str) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(AuditLine).where(AuditLine.action == action)) or 0


def message_id(page: str) -> str:
    found = re.search(r'id="say-form".*?name="client_message_id" value="([^"]+)"', page, re.DOTALL)
    assert found is not None
    return found[1]


def test_who_waits_is_accepted_and_answered_without_a_script(practice: Practice, doctor: Doctor) -> None:
    he, found = doctor(), asked(practice)
    page = main(he.get(BOARD))
    assert "General practice · Chinese" in page and "Accept" in page and "沈" not in page
    done = he.post(f"{BOARD}/{found}/accept", BOARD)
    assert done.headers["Location"] == f"{BOARD}/{found}#say"
    shown = he.get(f"{BOARD}/{found}")
    assert "嗓子疼" in main(shown) and row(found).first_answer_at is None
    name = message_id(shown.text)
    for _ in range(2):  # sent twice, said once
        assert (
            he.post(f"{BOARD}/{found}/words", f"{BOARD}/{found}", text="发烧吗？", client_message_id=name).status_code
            == 303
        )
    assert said(practice, found) == [("customer", "嗓子疼"), ("clinician", "发烧吗？")]
    assert "发烧吗？" in main(he.get(f"{BOARD}/{found}"))


def test_several_are_in_hand_at_once_and_what_is_unread_is_counted(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    first, second = taken(practice, he), taken(practice, he)
    assert "2 of 3 in hand" in main(he.get(BOARD))
    he.get(f"{BOARD}/{first}")
    practice.ask(second, "还咳嗽")
    page = main(he.get(f"{BOARD}/{first}"))
    assert "2 new" in page and "1 new" not in page
    he.get(f"{BOARD}/{second}")
    assert " new" not in main(he.get(BOARD))


def test_words_that_are_refused_stay_in_the_form(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    found = taken(practice, he)
    wrong = he.post(f"{BOARD}/{found}/words", f"{BOARD}/{found}", text="好" * 4_001, client_message_id="message-9")
    assert wrong.status_code == 422 and "好好" in wrong.text and 'value="message-9"' in wrong.text
    assert said(practice, found) == [("customer", "嗓子疼")]


def test_other_words_from_a_page_of_before_can_be_sent_as_a_new_message(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    found = taken(practice, he)
    page = f"{BOARD}/{found}"
    he.post(f"{page}/words", page, text="多久了？", client_message_id="message-9")
    wrong = he.post(f"{page}/words", page, text="发烧吗？", client_message_id="message-9")
    assert wrong.status_code == 422 and "发烧吗？" in wrong.text
    he.post(f"{page}/words", page, text="发烧吗？", client_message_id=message_id(wrong.text))
    assert said(practice, found)[1:] == [("clinician", "多久了？"), ("clinician", "发烧吗？")]


def test_the_patient_is_told_that_who_has_her_in_hand_is_typing_and_nobody_else(
    practice: Practice, doctor: Doctor
) -> None:
    he, she = doctor(), doctor("she")
    found, me = taken(practice, he), practice.world.principal
    assert she.post(f"{BOARD}/{found}/typing", BOARD).status_code == 204
    assert not conversation_of(me, found, NOON).typing
    assert he.post(f"{BOARD}/{found}/typing", BOARD).status_code == 204
    assert conversation_of(me, found, NOON).typing


def test_the_patients_facts_are_for_the_one_who_has_her_in_hand(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    found = taken(practice, he)
    page = main(he.get(f"{BOARD}/{found}"))
    for fact in ("沈静宜", "Age", "青霉素", "For some days", "None from your institution."):
        assert fact in page
    beside = main(she.get(f"{BOARD}/{found}"))
    assert "青霉素" not in beside and "has this patient in hand" in beside
    assert she.get(f"{BOARD}/{found}/reports/rep_x").status_code == 404


def test_a_sitting_is_one_line_of_the_audit(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    found = taken(practice, he)
    for _ in range(3):
        he.get(f"{BOARD}/{found}")
        he.get(f"{BOARD}/{found}/live")
    assert (looks(SHOWN), looks(REPORT_SHOWN)) == (1, 0)


def test_the_live_part_is_sent_when_it_changed(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    found = taken(practice, he)
    he.get(f"{BOARD}/{found}/live")
    first = he.get(f"{BOARD}/{found}/live")
    again = he.get(f"{BOARD}/{found}/live", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")
    practice.ask(found, "还咳嗽")
    news = he.get(f"{BOARD}/{found}/live", headers={"If-None-Match": first.headers["ETag"]})
    assert news.status_code == 200 and "还咳嗽" in news.text


def test_a_picture_is_shown_both_ways(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    found = taken(practice, he)
    form = {
        **he.hidden(f"{BOARD}/{found}"),
        "client_message_id": "picture-1",
        "picture": (BytesIO(make_picture()), "a.png"),
    }
    sent = he.client.post(f"{BOARD}/{found}/shown", data=form, content_type="multipart/form-data")
    assert sent.status_code == 303
    address = re.search(r'src="([^"]+pictures/[^"]+)"', he.get(f"{BOARD}/{found}").text)
    assert address is not None
    small = he.get(address[1].replace("&amp;", "&"))
    assert small.headers["Content-Type"] == "image/jpeg" and small.data.startswith(b"\xff\xd8")
    bad = {**form, "client_message_id": "picture-2", "picture": (BytesIO(b"x"), "a.png")}
    refused = he.client.post(f"{BOARD}/{found}/shown", data=bad, content_type="multipart/form-data")
    assert refused.status_code == 422 and "f-picture-error" in refused.text


def test_it_is_handed_to_a_colleague_or_to_the_head_of_the_queue(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    found = taken(practice, he)
    to = re.search(r'<option value="(mbr_[^"]+)">Dr she', he.get(f"{BOARD}/{found}").text)
    assert to is not None
    he.post(f"{BOARD}/{found}/hand-over", f"{BOARD}/{found}", to=to[1])
    assert "Your colleague has the patient now." in he.get(BOARD).text
    assert "沈**" in main(she.get(BOARD))
    she.post(f"{BOARD}/{found}/hand-over", f"{BOARD}/{found}", to="")
    assert row(found).clinician_id is None and "Handed back" in main(he.get(BOARD))


def test_a_lead_assigns_who_waits_and_nobody_else_does(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(lead=True), doctor("she")
    found = asked(practice)
    assert "As shift lead" not in main(she.get(f"{BOARD}/{found}"))
    to = re.search(r'<option value="(mbr_[^"]+)">Dr she', he.get(f"{BOARD}/{found}").text)
    assert to is not None
    assert she.send(f"{BOARD}/{found}/assign", {**she.hidden(BOARD), "to": to[1]}).status_code == 404
    he.post(f"{BOARD}/{found}/assign", f"{BOARD}/{found}", to=to[1])
    assert "沈**" in main(she.get(BOARD))


def test_it_is_closed_with_a_summary_by_who_has_it(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    found = taken(practice, he)
    he.post(f"{BOARD}/{found}/words", f"{BOARD}/{found}", text="多喝水", client_message_id="message-1")
    form = {"summary": "上感", "advice": "休息", "next_service": "health_check"}
    assert she.send(f"{BOARD}/{found}/close", {**she.hidden(BOARD), **form}).status_code == 404
    blank = he.post(f"{BOARD}/{found}/close", f"{BOARD}/{found}/close", **{**form, "summary": " "})
    assert blank.status_code == 422 and "休息" in blank.text and row(found).closed_at is None
    assert he.post(f"{BOARD}/{found}/close", f"{BOARD}/{found}/close", **form).status_code == 303
    page = main(he.get(f"{BOARD}/{found}"))
    assert "上感" in page and "Suggested next:" in page and row(found).closed_at is not None


def test_words_for_a_patient_whom_a_colleague_has_by_then_are_not_lost(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    found = taken(practice, he)
    form = he.hidden(f"{BOARD}/{found}")
    he.post(f"{BOARD}/{found}/hand-over", f"{BOARD}/{found}")
    she.post(f"{BOARD}/{found}/accept", f"{BOARD}/{found}")
    answer = he.send(f"{BOARD}/{found}/words", {**form, "text": "多喝水，注意休息", "client_message_id": "message-1"})
    assert answer.status_code == 409
    page = main(answer)
    assert "Not sent:" in page and "多喝水，注意休息" in page and "Dr she" in page


def test_a_department_is_suggested_as_the_next_service(practice: Practice, doctor: Doctor) -> None:
    he = doctor()
    found = taken(practice, he)
    he.post(f"{BOARD}/{found}/words", f"{BOARD}/{found}", text="看看皮肤科", client_message_id="message-1")
    close = f"{BOARD}/{found}/close"
    assert "Dermatology" in main(he.get(close))
    unknown = he.post(close, close, summary="皮疹", next_service="online_consultation/astrology")
    assert unknown.status_code == 422 and row(found).closed_at is None
    assert he.post(close, close, summary="皮疹", next_service="online_consultation/dermatology").status_code == 303
    page = Visitor.signed_in(he.client.application, "13800000021").get(f"/consultation/{found}")
    assert "department=dermatology" in page.text


def test_a_manager_sees_who_waits_and_reads_nothing(app: object, practice: Practice, doctor: Doctor) -> None:
    doctor()
    found = asked(practice)
    boss = at_desk(app, make_member(practice.world.provider.code, "manager", "boss"))  # type: ignore[arg-type]
    page = main(boss.get(BOARD))
    assert "General practice" in page and "Dr he" in page and "Accept" not in page
    for address in (f"{BOARD}/{found}", f"{BOARD}/{found}/live", f"{BOARD}/{found}/close", "/desk/shift"):
        assert boss.get(address).status_code == 404
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ConversationMessage)) == 1


def shown(page: str) -> list[int]:
    """The numbers of the messages that a page shows."""
    return [int(number) for number in re.findall(r'<li[^>]* id="m-(\d+)"', page)]


def test_of_a_long_conversation_the_end_is_shown_and_earlier_parts_by_a_link(
    practice: Practice, doctor: Doctor
) -> None:
    found = make_long(practice, 120)
    he = doctor("he", lead=True)
    he.post(f"{BOARD}/{found}/assign", BOARD, to=member("he").public_id)
    mark = {"conversation_id": row(found).id, "member_id": member("he").id, "seq": 118}
    with transaction() as session:
        session.execute(insert(ConversationRead).values(mark))
    page = he.get(f"{BOARD}/{found}").text
    assert shown(page) == list(range(71, 121)) and "To the newest" not in page
    earlier = re.search(r'id="earlier" href="([^"]+)"', page)
    assert earlier is not None
    before = he.get(earlier[1].partition("#")[0]).text
    assert earlier[1].endswith("#m-71") and shown(before) == list(range(21, 121))
    live = re.search(r'id="talk"[^>]* hx-get="([^"]+)"', before)
    assert live is not None and shown(he.get(live[1]).text) == list(range(21, 121))
    assert 'id="earlier"' not in he.get(f"{BOARD}/{found}?since=1").text
    for odd in ("0", "x", "9" * 20, "121"):
        assert he.get(f"{BOARD}/{found}?since={odd}").status_code == 200


def test_all_that_she_has_not_read_is_shown_and_no_more_counts_as_read(practice: Practice, doctor: Doctor) -> None:
    found = make_long(practice, 260)
    he = doctor("he", lead=True)
    he.post(f"{BOARD}/{found}/assign", BOARD, to=member("he").public_id)
    page = he.get(f"{BOARD}/{found}").text
    assert shown(page) == list(range(1, 201)) and 'id="newest"' in page
    assert read_by("he", found) == 200
    page = he.get(f"{BOARD}/{found}").text
    assert shown(page) == list(range(201, 261)) and read_by("he", found) == 260


def read_by(login: str, conversation: str) -> int:
    with reading() as session:
        return session.scalars(
            select(ConversationRead.seq).where(
                ConversationRead.conversation_id == row(conversation).id,
                ConversationRead.member_id == member(login).id,
            )
        ).one()
