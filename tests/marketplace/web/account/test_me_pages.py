"""我的 in the browser: the family, the phone number, sessions, and the record of benefits."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from booking.changes.cancel import cancel
from booking.hold.expire import expire_holds
from marketplace.core import clock
from marketplace.core.sending import sms
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, SmsBox, counters, self_of
from tests.world import World, join
from vip.customers.family import family
from vip.signin.signin import issue_token

MEMBER = {
    "name": "沈伯年",
    "relation": "father",
    "sex": "male",
    "birth_date": "1951-09-03",
    "id_number": "",
}
FORMS = ("/me/family/new", "/me/phone", "/me/phone/code", "/me/sessions/end")


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> SmsBox:
    """The texts that were sent."""
    texts = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: texts)
    return texts


def add_father(visitor: Visitor, world: World, **changes: str) -> str:
    assert visitor.post("/me/family/new", **{**MEMBER, **changes}).status_code == 303
    return family(world.customer.id)[-1].public_id


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_shows_her_her_family_and_her_sessions(visitor: Visitor, world: World) -> None:
    told = main(visitor.get("/me"))
    assert "沈静宜" in told and "138****0021" in told and "This device" in told
    assert "13800000021" not in visitor.get("/me").text
    visitor.language = "zh"
    assert "家人" in main(visitor.get("/me")) and "本人" in main(visitor.get("/me"))


@pytest.mark.parametrize("path", FORMS)
def test_a_form_from_elsewhere_is_refused(visitor: Visitor, world: World, path: str) -> None:
    visitor.get("/me")
    for fields in ({}, {"csrf_token": "forged"}):
        assert visitor.client.post(path, data={**MEMBER, "phone": "13900000000", **fields}).status_code == 403
    assert len(family(world.customer.id)) == 1
    assert visitor.get("/me").status_code == 200, "still signed in"


# --- the family ------------------------------------------------------------------------------------------------------


def test_a_relative_is_added_and_one_comes_back_to_where_she_was_needed(visitor: Visitor, world: World) -> None:
    answer = visitor.post("/me/family/new", **MEMBER, next="/who?offer=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/who?offer=1")
    page = visitor.get("/me")
    assert "沈伯年 is in your family list." in page.text and "Father" in main(page) and "Male, 74 years" in main(page)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site_afterwards(visitor: Visitor, wanted: str) -> None:
    assert visitor.post("/me/family/new", **MEMBER, next=wanted).headers["Location"] == "/me"


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"relation": "boss"}, "relation"),
        ({"relation": "self"}, "relation"),
        ({"birth_date": "soon"}, "birth_date"),
        ({"birth_date": ""}, "birth_date"),
        ({"birth_date": "2999-01-01"}, "birth_date"),
        ({"id_number": "330102195403120"}, "id_number"),
        ({"id_number": "11010519491231002X"}, "id_number"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(visitor: Visitor, world: World, changes: dict[str, str], at: str) -> None:
    answer = visitor.post("/me/family/new", **{**MEMBER, **changes})
    assert answer.status_code == 422
    assert re.search(rf'id="f-{at}-error"', answer.text), main(answer)
    assert 'value="沈伯年"' in answer.text or at == "name"
    assert len(family(world.customer.id)) == 1


@pytest.mark.parametrize("wild", ["\0", "\ud800", "<script>alert(1)</script>", "x" * 100_000, "💥" * 40])
def test_hostile_fields_break_nothing(visitor: Visitor, wild: str) -> None:
    for name in MEMBER:
        raw = {**MEMBER, name: wild.encode("utf-8", "surrogatepass").decode("utf-8", "replace")}
        answer = visitor.post("/me/family/new", **raw)
        assert answer.status_code in (303, 422), name
        assert "<script>alert" not in visitor.get("/me").text


def test_a_slip_is_pointed_out_but_allowed(visitor: Visitor, world: World) -> None:
    add_father(visitor, world, birth_date="2001-01-01")
    assert "This parent would be younger than you" in visitor.get("/me").text


def test_taking_somebody_off_the_list_is_asked_first(visitor: Visitor, world: World) -> None:
    father = add_father(visitor, world)
    page = visitor.get(f"/me/family/{father}/remove")
    assert "沈伯年" in main(page) and "Past bookings and reports stay" in main(page)
    assert len(family(world.customer.id)) == 2
    answer = visitor.post(f"/me/family/{father}/remove")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")
    assert len(family(world.customer.id)) == 1
    assert visitor.get(f"/me/family/{father}/remove").status_code == 404


def test_somebody_who_is_booked_stays_until_the_booking_is_cancelled(visitor: Visitor, world: World) -> None:
    father = add_father(visitor, world)
    booking = world.hold(beneficiary=father)
    refused = visitor.post(f"/me/family/{father}/remove")
    assert refused.status_code == 409 and "Cancel it first" in main(refused)
    assert len(family(world.customer.id)) == 2
    cancel(world.principal, booking, now=NOON)
    assert visitor.post(f"/me/family/{father}/remove").status_code == 303


def test_nobody_removes_herself_or_others_people(app: Flask, visitor: Visitor, world: World) -> None:
    stranger = join(world.provider, world.offer, world.slots, phone="13800000051")
    for member in (self_of(world.customer).public_id, stranger.beneficiary.public_id, "ben_00000000000000000000"):
        assert visitor.get(f"/me/family/{member}/remove").status_code == 404
        assert visitor.post(f"/me/family/{member}/remove").status_code == 404
    assert [len(family(one.customer.id)) for one in (world, stranger)] == [1, 1]


# --- sessions --------------------------------------------------------------------------------------------------------


def session_ids(visitor: Visitor) -> list[str]:
    return re.findall(r'name="session" value="([^"]+)"', visitor.get("/me").text)


def test_one_session_ends_and_the_others_go_on(app: Flask, visitor: Visitor) -> None:
    other = Visitor.signed_in(app, "13800000021")
    (which,) = session_ids(other)[:1]
    assert len(session_ids(other)) == 2, "this visitor's and the world's own"
    assert other.post("/me/sessions/end", session=which).status_code == 303
    assert len(session_ids(other)) == 1 and other.get("/me").status_code == 200
    assert visitor.get("/me").status_code == 303, "signed out"


def test_signing_out_everywhere_ends_this_one_too(app: Flask, visitor: Visitor) -> None:
    other = Visitor.signed_in(app, "13800000021")
    answer = visitor.post("/me/sessions/end", everywhere="1")
    assert answer.headers["Location"] == "/sign-in" and "signed_in=;" in answer.headers["Set-Cookie"]
    for one in (visitor, other):
        assert one.get("/me").headers["Location"].startswith("/sign-in")


def test_somebody_elses_session_is_not_there(app: Flask, visitor: Visitor, world: World) -> None:
    join(world.provider, world.offer, world.slots, phone="13800000052")
    stranger = Visitor.signed_in(app, "13800000052")
    (theirs,) = session_ids(stranger)
    for which in (theirs, "ses_00000000000000000000", "'", "", "s" * 65):
        assert visitor.post("/me/sessions/end", session=which).status_code == 404
    assert visitor.post("/me/sessions/end").status_code == 404
    assert session_ids(stranger) == [theirs]
    assert visitor.get("/me").status_code == 200, "what names no session ends none"


# --- the phone number ------------------------------------------------------------------------------------------------


def test_a_number_is_changed_once_both_are_proved(app: Flask, visitor: Visitor, box: SmsBox) -> None:
    other = Visitor.signed_in(app, "13800000021")
    assert visitor.post("/me/phone", "/me/phone", phone="139 0000 7755").headers["Location"] == "/me/phone/code"
    page = visitor.get("/me/phone/code")
    assert "139****7755" in main(page) and "138****0021" in main(page)
    assert "13900007755" not in page.text
    with visitor.client.session_transaction() as kept:
        assert "13900007755" not in str(dict(kept))
    old, new = box.code_for("13800000021"), box.code_for("13900007755")
    answer = visitor.post("/me/phone/code", "/me/phone/code", old_code=old, new_code=new)
    assert answer.headers["Location"] == "/me"
    assert "Your number is changed" in visitor.get("/me").text and "139****7755" in main(visitor.get("/me"))
    assert other.get("/me").status_code == 303, "other devices are signed out"
    assert issue_token("13900007755", NOON).token


def test_a_wrong_code_is_told_at_its_field_and_tries_count(visitor: Visitor, box: SmsBox) -> None:
    visitor.post("/me/phone", "/me/phone", phone="13900007756")
    new = box.code_for("13900007756")
    wrong = f"{(int(box.code_for('13800000021')) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1, 0):
        answer = visitor.post("/me/phone/code", "/me/phone/code", old_code=wrong, new_code=new)
        assert answer.status_code == 422 and f"Tries left: {left}." in main(answer)
        assert 'id="f-old_code-error"' in answer.text
    ended = visitor.post("/me/phone/code", "/me/phone/code", old_code=box.code_for("13800000021"), new_code=new)
    assert ended.status_code == 429 and "Too many tries" in main(ended)
    assert "138****0021" in main(visitor.get("/me"))


@pytest.mark.parametrize("phone", ["", "1380013", "13800000021", "x" * 10_000, "<b>", "+1 555"])
def test_a_number_that_cannot_be_used_is_told(visitor: Visitor, box: SmsBox, phone: str) -> None:
    answer = visitor.post("/me/phone", "/me/phone", phone=phone)
    assert answer.status_code == 422 and 'id="f-phone-error"' in answer.text
    assert box.texts == []


def test_a_number_of_another_customer_is_refused_only_after_it_was_proved(
    visitor: Visitor, world: World, box: SmsBox
) -> None:
    join(world.provider, world.offer, world.slots, phone="13800000053")
    assert visitor.post("/me/phone", "/me/phone", phone="13800000053").status_code == 303
    answer = visitor.post(
        "/me/phone/code",
        "/me/phone/code",
        old_code=box.code_for("13800000021"),
        new_code=box.code_for("13800000053"),
    )
    assert answer.status_code == 409 and "Another customer has this number" in main(answer)
    assert "138****0021" in main(visitor.get("/me"))


def test_codes_can_be_sent_again_but_not_for_ever(visitor: Visitor, box: SmsBox) -> None:
    visitor.post("/me/phone", "/me/phone", phone="13900007757")
    first = box.code_for("13900007757")
    for number in range(4):
        with clock.frozen(NOON + timedelta(minutes=number + 1)):
            assert visitor.post("/me/phone", "/me/phone/code", again="1").status_code == 303
    assert box.code_for("13900007757") != first or len(box.texts) == 10
    with clock.frozen(NOON + timedelta(minutes=6)):
        answer = visitor.post("/me/phone", "/me/phone/code", again="1")
    assert answer.status_code == 429 and "Too many tries" in main(answer)


def test_the_code_step_without_a_number_leads_back(visitor: Visitor) -> None:
    assert visitor.get("/me/phone/code").headers["Location"] == "/me/phone"


# --- the record of benefits ------------------------------------------------------------------------------------------


def lines(visitor: Visitor, path: str = "/benefits") -> list[str]:
    page = visitor.get(path)
    assert page.status_code == 200
    return re.findall(r'(?s)<li><div class="row row--top"><p class="grow">(.*?)</p>', page.text)


def test_the_record_tells_each_line_and_what_was_left_then(visitor: Visitor, world: World) -> None:
    cancel(world.principal, world.submit(0), now=NOON)
    world.hold(1, now=NOON)
    expire_holds(now=NOON + timedelta(minutes=11))
    world.submit(2)
    told = lines(visitor)
    assert told == [
        "Reserved for 沈静宜, 10 March",
        "10 March was not submitted in time; given back",
        "Reserved for 沈静宜, 10 March",
        "You cancelled 10 March; given back",
        "Reserved for 沈静宜, 10 March",
        "Granted by your plan",
    ]
    page = visitor.get("/benefits")
    assert re.findall(r"(\d) left then", main(page)) == ["3", "4", "3", "4", "3", "4"]
    assert re.findall(r'nb(?: ok)?">([+\u2212]\d)<', page.text) == ["\u22121", "+1", "\u22121", "+1", "\u22121", "+4"]
    assert counters(world.entitlement.id)["available"] == 3
    visitor.language = "zh"
    assert lines(visitor)[-1] == "按您的计划发放"


def test_one_benefit_has_its_own_record_with_links_to_bookings(visitor: Visitor, world: World) -> None:
    booking = world.submit()
    page = visitor.get(f"/benefits/{world.entitlement.public_id}")
    assert "Health check" in main(page) and "3 of 4 left" in main(page) and "1 reserved for a booking" in main(page)
    assert f'href="/bookings/{booking}"' in page.text


def test_an_unlimited_benefit_counts_uses_and_names_no_rest(app: Flask, visitor: Visitor, world: World) -> None:
    unlimited = join(world.provider, world.offer, world.slots, phone="13800000054", quantity=None)
    unlimited.submit()
    page = Visitor.signed_in(app, "13800000054").get(f"/benefits/{unlimited.entitlement.public_id}")
    assert "Unlimited" in main(page) and "left then" not in main(page)


def test_a_long_record_pages(visitor: Visitor, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.web.benefits.usage.SHOWN", 2)
    for _ in range(2):
        cancel(world.principal, world.submit(0), now=NOON)
    path, seen = "/benefits", []
    while path:
        page = visitor.get(path)
        seen += lines(visitor, path)
        found = re.search(r'href="(/benefits\?after=[^"&]+)"', page.text)
        path = found[1] if found else ""
    assert len(seen) == 5 and seen == [seen[0], seen[1], seen[0], seen[1], "Granted by your plan"]


def test_somebody_elses_benefit_is_not_there(visitor: Visitor, world: World) -> None:
    stranger = join(world.provider, world.offer, world.slots, phone="13800000055")
    for entitlement in (stranger.entitlement.public_id, "ent_00000000000000000000", "x" * 64, "%00"):
        assert visitor.get(f"/benefits/{entitlement}").status_code == 404
    assert visitor.get("/benefits?after=W10").status_code == 422
