"""The escort worker's pages and what her phone sends, without a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

from booking.escort.deeds import deeds_of
from marketplace.core.database.db import reading
from marketplace.web.desk.escorting.worker import ACCOUNT
from tests.booking.escorting.stage import CODE, SAFE_WORD, Stage, add_worker, assign, deed, locate
from tests.desk import make_member, member
from tests.marketplace.web.visitors import Visitor, main
from tests.pictures import make_picture
from tests.world import EIGHT, make_world
from vip.principal import Member


def told(worker: Visitor, stage: Stage, *deeds: Any, **files: bytes) -> Any:
    """What the phone is answered."""
    token = worker.get("/desk/escort/here").json["token"]
    data: dict[str, Any] = {"deeds": json.dumps(deeds)}
    data |= {f"picture-{key}": (BytesIO(content), "picture") for key, content in files.items()}
    headers = {"X-CSRFToken": token, "Accept-Language": "en"}
    return worker.client.post(f"/desk/escort/{stage.assignment}/deeds", data=data, headers=headers)


def test_she_finds_her_escort_and_who_it_is(worker: Visitor, stage: Stage) -> None:
    listed = worker.get("/desk/escort")
    assert stage.made.world.beneficiary.name not in listed.text and "心内科" not in listed.text
    assert "Today" in main(listed) and stage.assignment in listed.text
    shown = worker.get(f"/desk/escort/{stage.assignment}")
    words = main(shown)
    for each in (stage.made.world.beneficiary.name, "心内科", SAFE_WORD, "In a wheelchair", "Call 陆明"):
        assert each in words
    step = re.search(r"<button[^>]*next__step[^>]*data-next=.on_the_way.*?</button>", shown.text, re.S)
    assert step and "Set out" in step[0] and "On the way" not in step[0] and "#check" not in step[0]
    assert re.search(r'id="sheet-on_the_way-title">Set out<', shown.text)
    assert re.search(r'data-deed="on_the_way" data-name="On the way"', shown.text)
    assert CODE not in shown.text and "data-latitude" not in shown.text
    assert shown.headers[ACCOUNT] == stage.member.public_id
    assert "geolocation=(self)" in shown.headers["Permissions-Policy"]
    locate(stage.made)
    assert 'data-latitude="30.27"' in worker.get(f"/desk/escort/{stage.assignment}").text


def test_each_deed_is_answered_by_itself(worker: Visitor, stage: Stage) -> None:
    paper, note = deed("paper", 2, words="CT"), deed("note", 3)
    deeds = deed("met", 1), paper, note, deed("arrived", 4, code="9999")
    answer = told(worker, stage, *deeds, **{paper["key"]: make_picture()})
    assert answer.status_code == 200
    first, second, third, fourth = answer.json["deeds"]
    assert (first["taken"]["number"], second["taken"]["repeated"]) == (1, False)
    assert third["refused"] == {
        "code": "invalid",
        "field": "words",
        "error": "This is needed.",
        "again": False,
        "retry_after": None,
    }
    assert (fourth["refused"]["code"], fourth["refused"]["field"]) == ("wrong_escort_code", "code")
    with reading() as session:
        assert [it.kind for it in deeds_of(session, stage.booking_id)] == ["met", "paper"]
    again = told(worker, stage, deed("met", 5, code="12"), {"kind": "met"})
    assert [each["refused"]["error"] for each in again.json["deeds"]] == [
        "This does not have the right form.",
        "This does not have the right form.",
    ]


def test_what_is_no_list_of_deeds_is_refused_in_words(worker: Visitor, stage: Stage) -> None:
    token = worker.get("/desk/escort/here").json["token"]
    for body in ("", "{", "{}", "[" * 2_000, '"\\ud800"'):
        answer = worker.client.post(
            f"/desk/escort/{stage.assignment}/deeds", data={"deeds": body}, headers={"X-CSRFToken": token}
        )
        assert answer.status_code in (400, 422) and answer.json["error"], body
    forged = worker.client.post(f"/desk/escort/{stage.assignment}/deeds", data={"deeds": "[]"})
    assert forged.status_code == 403


def test_nobody_else_finds_it(stage: Stage, seated: Callable[[Member], Visitor]) -> None:
    colleague, _ = add_worker(stage.made.world.provider.id, "王安")
    other = of_another_provider()
    make_member(stage.made.world.provider.code, "manager")
    manager = member("manager", EIGHT)
    for who in (colleague, other, manager):
        visitor = seated(who)
        page = visitor.get(f"/desk/escort/{stage.assignment}")
        nothing = visitor.get("/desk/escort/esa_00000000000000000000")
        assert page.status_code == nothing.status_code == 404
        assert main(page) == main(nothing)
    assert seated(manager).get("/desk/escort").status_code == 404


def of_another_provider() -> Member:
    """A worker of another provider."""
    return add_worker(make_world(phone="13800000029").provider.id, "别处")[0]


def test_who_is_no_worker_yet_is_told_so(stage: Stage, seated: Callable[[Member], Visitor]) -> None:
    make_member(stage.made.world.provider.code, "escort")
    visitor = seated(member("escort", EIGHT))
    assert "Nothing is set up for you yet" in main(visitor.get("/desk/escort"))
    assert visitor.get("/desk/escort/here").status_code == 404


def test_once_it_is_over_nobody_is_named(worker: Visitor, stage: Stage) -> None:
    stage.end("replaced", "ill")
    page = worker.get(f"/desk/escort/{stage.assignment}")
    assert stage.made.world.beneficiary.name not in page.text and SAFE_WORD not in page.text
    assert "This escort is over" in main(page) and "Somebody else goes" in main(page)


def test_whose_the_browser_is_and_how_far_the_numbers_are(worker: Visitor, stage: Stage) -> None:
    stage.taken(deed("met", 7))
    here = worker.get(f"/desk/escort/here?of={stage.assignment}&of=esa_other&of=%00").json
    assert (here["account"], here["highest"]) == (stage.member.public_id, {stage.assignment: 7})
    assert here["state"] == {stage.assignment: "accepted"}
    signed_out = Visitor(worker.app)
    assert signed_out.get("/desk/escort/here", headers={"HX-Request": "true"}).status_code == 401
    assert signed_out.get("/desk/escort").status_code == 303


def test_the_app_is_the_same_for_everybody(worker: Visitor) -> None:
    nobody = Visitor(worker.app)
    for path, kind in (("sw.js", "text/javascript"), ("manifest.webmanifest", "application/manifest+json")):
        answer = nobody.get(f"/desk/escort/{path}?lang=en&language=en")
        assert answer.content_type.startswith(kind)
        assert answer.text == worker.get(f"/desk/escort/{path}?lang=en&language=en").text
    assert nobody.get("/desk/escort/sw.js").headers["Service-Worker-Allowed"] == "/desk/escort"
    manifest = nobody.get("/desk/escort/manifest.webmanifest?lang=zh").json
    assert (manifest["name"], manifest["start_url"]) == ("安享随行", "/desk/escort")
    for icon in manifest["icons"]:
        with nobody.get(icon["src"]) as drawn:
            assert drawn.status_code == 200


def test_a_worker_who_takes_over_sees_what_was_done_and_nothing_that_was_written(
    stage: Stage, seated: Callable[[Member], Visitor]
) -> None:
    stage.taken(deed("on_the_way", 1), deed("note", 2, words="机密"))
    stage.end("replaced", "late")
    other, worker_id = add_worker(stage.made.world.provider.id, "王安")
    assignment, _ = assign(stage.booking_id, worker_id, stage.made.world.provider.id)
    page = seated(other).get(f"/desk/escort/{assignment}")
    assert "Before you" in main(page) and "何静" in main(page) and "机密" not in page.text
