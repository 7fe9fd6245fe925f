"""Papers, links, deletion and consent in the browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace import edge
from marketplace.core import clock
from marketplace.core.database.db import reading
from marketplace.core.sending import sms
from tests.files import make_png, make_zip
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, SmsBox, consents
from tests.reports import PDF, deliver, looks
from tests.world import World, join
from vip.customers.family import NewMember, add_member
from vip.models import Beneficiary

FATHERS_PHONE = "13900000055"


@pytest.fixture
def report_id(world: World) -> str:
    return deliver(world, world.submit())


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> SmsBox:
    """What is sent to phones."""
    box = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: box)
    return box


def make_link(visitor: Visitor, report_id: str, **fields: str) -> tuple[str, str]:
    """The path of a new link, and its access code if it has one."""
    path = f"/reports/{report_id}/share"
    page = visitor.post(path, path, **{"audience": "doctor", "days": "7", "with_code": "0", **fields})
    assert page.status_code == 200 and "The link is ready" in main(page)
    code = re.search(r'<p class="fig">(\d{6})</p>', page.text)
    found = re.search(r'value="http[^"]*?(/shared/[^"]+)"', page.text)
    assert found is not None
    return found[1], code[1] if code else ""


# --- papers and data -------------------------------------------------------------------------------------------------


def test_every_paper_opens_from_the_report_and_reaches_nothing(visitor: Visitor, world: World) -> None:
    picture = make_png(5, 5)
    files = make_zip({"a.pdf": PDF, "b.png": picture})
    public_id = deliver(world, world.submit(), document=files, document_type="application/zip")
    page = visitor.get(f"/reports/{public_id}")
    assert "Document 1 (PDF)" in main(page) and "Picture 2" in main(page)
    answer = visitor.get(f"/reports/{public_id}/papers/1")
    assert (answer.data, answer.content_type) == (picture, "image/png")
    assert answer.headers["Content-Disposition"].startswith('inline; filename="report-2026-03-10-v1-2.png"')
    assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    assert "sandbox" in answer.headers["Content-Security-Policy"] and answer.headers["Cache-Control"] == "no-store"
    for nowhere in ("2", "99", "-1", "x", "1e1", "٣"):
        assert visitor.get(f"/reports/{public_id}/papers/{nowhere}").status_code == 404


def test_the_data_is_kept_as_a_file_whose_name_tells_nobody(visitor: Visitor, report_id: str) -> None:
    answer = visitor.get(f"/reports/{report_id}/fhir")
    assert answer.content_type == "application/fhir+json"
    assert json.loads(answer.data)["resourceType"] == "Bundle"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="report-2026-03-10-v1.fhir.json"')
    assert looks(report_id) == ["report.exported"]


# --- deleting --------------------------------------------------------------------------------------------------------


def test_a_report_is_deleted_after_saying_what_that_means(visitor: Visitor, report_id: str) -> None:
    path = f"/reports/{report_id}/delete"
    assert "Nobody can read the report again" in main(visitor.get(path))
    assert visitor.get(f"/reports/{report_id}").status_code == 200, "asking deletes nothing"
    answer = visitor.post(path, path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/reports")
    assert visitor.get(f"/reports/{report_id}").status_code == 404
    assert "No reports yet" in main(visitor.get("/reports"))
    assert visitor.get(path).status_code == 404


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_doctor_opens_the_link_without_an_account_and_the_customer_sees_it(
    app: Flask, visitor: Visitor, report_id: str
) -> None:
    link, _code = make_link(visitor, report_id)
    doctor = Visitor(app)
    door = doctor.get(link)
    assert "Somebody shows you a health report" in main(door)
    assert "沈静宜" not in door.text and "LDL" not in door.text
    assert looks(report_id) == ["report.shared"]
    assert doctor.post(link, link).status_code == 303
    page = doctor.get(link)
    assert "LDL cholesterol" in main(page) and "3.92" in main(page)
    assert f"/reports/{report_id}" not in page.text and 'href="/me"' not in page.text
    assert doctor.get(f"{link}/papers/pdf").data == PDF
    for elsewhere in (f"/reports/{report_id}", "/reports", "/me"):
        assert doctor.get(elsewhere).headers["Location"].startswith("/sign-in")
    told = main(visitor.get(f"/reports/{report_id}/share"))
    assert "Opened 1 times" in told and "Read" in told and "Document opened" in told


def test_a_shared_page_tells_its_address_to_nobody(app: Flask, visitor: Visitor, report_id: str) -> None:
    link, _code = make_link(visitor, report_id)
    doctor = Visitor(app)
    doctor.post(link, link)
    for answer in (doctor.get(link), Visitor(app).get(link), doctor.get(f"{link}/papers/pdf")):
        assert answer.headers.getlist("Referrer-Policy") == ["strict-origin"]
        assert answer.headers["Cache-Control"] == "no-store" and "noindex" in answer.headers["X-Robots-Tag"]
    assert 'name="referrer" content="same-origin"' not in doctor.get(link).text


def test_the_token_is_in_no_line_of_the_log(
    app: Flask, visitor: Visitor, report_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    class Log:
        def __getattr__(self, level: str) -> Callable[..., None]:
            return lambda event, **fields: said.append(f"{level} {event} {fields}")

    monkeypatch.setattr(edge, "log", Log())
    link, code = make_link(visitor, report_id, with_code="1")
    doctor = Visitor(app)
    doctor.post(link, link, code="000000" if code != "000000" else "111111")
    doctor.post(link, link, code=code)
    doctor.get(link)
    written = "".join(said)
    assert "/shared/<token>" in written
    assert link.rsplit("/", 1)[1] not in written and code not in written


def test_unknown_expired_ended_and_used_up_links_look_the_same(app: Flask, visitor: Visitor, report_id: str) -> None:
    path = f"/reports/{report_id}/share"
    ended, _ = make_link(visitor, report_id)
    share = re.search(rf"{path}/(shr_\w+)/end", visitor.get(path).text)
    assert share is not None
    assert visitor.post(f"{path}/{share[1]}/end", path).status_code == 303
    used, _ = make_link(visitor, report_id, max_views="1")
    reader = Visitor(app)
    reader.post(used, used)
    expired, _ = make_link(visitor, report_id, days="1")
    seen = set()
    with clock.frozen(NOON.replace(day=4)):
        for link in (ended, used, expired, "/shared/" + "x" * 43, "/shared/x", "/shared/x/papers/pdf"):
            answer = Visitor(app).get(link)
            seen.add((answer.status_code, main(answer)))
    assert len(seen) == 1 and seen.pop()[0] == 404


def test_the_access_code_is_asked_for_and_shown_once(app: Flask, visitor: Visitor, report_id: str) -> None:
    link, code = make_link(visitor, report_id, with_code="1")
    assert code not in visitor.get(f"/reports/{report_id}/share").text
    doctor = Visitor(app)
    refused = doctor.post(link, link, code="000000" if code != "000000" else "111111")
    assert refused.status_code == 422 and "Tries left: 4" in main(refused)
    assert doctor.post(link, link, code="12").status_code == 422
    assert doctor.post(link, link, code=code).status_code == 303
    assert "3.92" in main(doctor.get(link))


def test_what_looks_ahead_of_people_opens_nothing(app: Flask, visitor: Visitor, report_id: str) -> None:
    link, _code = make_link(visitor, report_id, max_views="1")
    for _ in range(3):
        assert Visitor(app).get(link).status_code == 200
    reader = Visitor(app)
    reader.post(link, link)
    assert reader.get(link, headers={"Sec-Purpose": "prefetch"}).status_code == 503
    assert looks(report_id) == ["report.shared"]
    assert "3.92" in main(reader.get(link))


def test_a_link_that_cannot_be_made_says_why(visitor: Visitor, report_id: str) -> None:
    path = f"/reports/{report_id}/share"
    fields = {"audience": "doctor", "days": "7", "with_code": "0"}
    for wrong, told in (
        ({"max_views": "1000"}, "between 1 and 100"),
        ({"max_views": "x"}, "whole number"),
        ({"days": "9999"}, "not one of the possible"),
        ({"audience": "press"}, "not one of the possible"),
    ):
        answer = visitor.post(path, path, **{**fields, **wrong})
        assert answer.status_code == 422 and told in main(answer)
    assert "Links so far" not in main(visitor.get(path))


def test_somebody_elses_report_can_be_neither_shared_nor_deleted(app: Flask, world: World, report_id: str) -> None:
    join(world.provider, world.offer, world.slots, phone="13800000048")
    other = Visitor.signed_in(app, "13800000048")
    for path in ("share", "delete", "fhir", "papers/0"):
        assert other.get(f"/reports/{report_id}/{path}").status_code == 404
    for path in ("share", "delete", "share/shr_00000000000000000000/end"):
        assert other.post(f"/reports/{report_id}/{path}").status_code == 404
    assert looks(report_id) == []


# --- consent ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def father(world: World) -> str:
    """The customer's father, for whom the world books from now on; his public id."""
    added = add_member(world.principal, NewMember("father", "沈伯年", "male", date(1955, 5, 1)), NOON)
    with reading() as session:
        world.beneficiary = session.scalars(select(Beneficiary).where(Beneficiary.public_id == added.public_id)).one()
    return added.public_id


def test_the_father_is_asked_by_text_and_his_code_shows_the_reports(
    visitor: Visitor, world: World, father: str, texts: SmsBox
) -> None:
    path = f"/me/family/{father}/consent"
    assert path in visitor.get("/reports").text and "Ask for consent" in main(visitor.get("/me"))
    assert "An adult of your family decides who sees them" in main(visitor.get(path))
    own = visitor.post(path, path, phone="13800000021")
    assert own.status_code == 422 and "your own number" in main(own) and texts.texts == []
    assert visitor.post(path, path, phone=FATHERS_PHONE).headers["Location"] == f"{path}/code"
    page = visitor.get(f"{path}/code")
    assert "139****0055" in main(page) and FATHERS_PHONE not in page.text
    wrong = visitor.post(f"{path}/code", f"{path}/code", code="12")
    assert wrong.status_code == 422 and "six digits" in main(wrong)
    done = visitor.post(f"{path}/code", f"{path}/code", code=texts.code_for(FATHERS_PHONE))
    assert done.headers["Location"] == "/reports"
    assert path not in visitor.get("/reports").text and "Agreed that you see the reports" in main(visitor.get("/me"))


def test_ending_the_consent_hides_the_reports_and_leads_to_asking_again(
    visitor: Visitor, world: World, father: str
) -> None:
    mother = add_member(world.principal, NewMember("mother", "林月华", "female", date(1957, 3, 2)), NOON).public_id
    consents(mother)  # which says nothing of the father
    consents(father)
    public_id = deliver(world, world.submit())
    path = f"/me/family/{father}/consent"
    assert visitor.get(f"/reports/{public_id}").status_code == 200
    assert visitor.post(f"{path}/end", path).status_code == 303
    assert public_id not in visitor.get("/reports").text
    answer = visitor.get(f"/reports/{public_id}")
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    refused = visitor.get(f"/reports/{public_id}/document")
    assert refused.status_code == 403 and "Ask for the consent first." in main(refused), "and no word of a form"


def test_nobody_is_asked_who_need_not_be(app: Flask, visitor: Visitor, world: World, father: str) -> None:
    join(world.provider, world.offer, world.slots, phone="13800000048")
    other = Visitor.signed_in(app, "13800000048")
    for who, member in ((visitor, "ben_00000000000000000000"), (other, father)):
        for path in ("consent", "consent/code"):
            assert who.get(f"/me/family/{member}/{path}").status_code == 404
    own = re.findall(r"/me/family/(\w+)/consent", visitor.get("/me").text)
    assert own == [father], "herself is not asked"


def test_she_ends_it_herself_without_an_account(
    app: Flask, visitor: Visitor, world: World, father: str, texts: SmsBox
) -> None:
    path = f"/me/family/{father}/consent"
    visitor.post(path, path, phone=FATHERS_PHONE)
    visitor.post(f"{path}/code", f"{path}/code", code=texts.code_for(FATHERS_PHONE))
    his = Visitor(app)
    assert "You agreed that a relative sees" in main(his.get("/consent"))
    assert his.post("/consent", "/consent", phone="12").status_code == 422
    assert "a code is on its way" in main(his.post("/consent", "/consent", phone=FATHERS_PHONE))
    wrong = his.post("/consent", "/consent", phone=FATHERS_PHONE, code="12")
    assert wrong.status_code == 422 and "six digits" in main(wrong)
    done = his.post("/consent", "/consent", phone=FATHERS_PHONE, code=texts.code_for(FATHERS_PHONE))
    assert "Nobody in your family sees your reports" in main(done)
    assert path in visitor.get("/reports").text
