"""Check-in at the desk: the customer's page shows a code, the desk's camera reads it, and her page says so."""

from __future__ import annotations

import base64
import itertools
import os
import shutil
from pathlib import Path

from flask import Flask
from playwright.sync_api import Browser

from booking.answering import answer
from booking.attendance.check_in_code import code_of
from booking.changes.cancel import cancel
from marketplace.core import clock
from marketplace.web.cookies import DESK, SIGNED_IN
from tests.booking.answering.desk import at, said
from tests.desk import PASSWORD, make_member
from tests.marketplace.web.conftest import Site
from tests.marketplace.web.desk.work.conftest import Seat
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.providers.partner_api.answering import requested, work
from tests.world import World, booking_row, make_world, set_provider
from vip.operators.operators import sign_in_operator
from vip.signin.signin import issue_token

WIDTH, HEIGHT, SIDE = 640, 480, 320
_number = itertools.count(1)

_DRAWN = """async ([svg, width, height, side]) => {
  const picture = new Image();
  picture.src = "data:image/svg+xml;base64," + btoa(svg);
  await picture.decode();
  const canvas = new OffscreenCanvas(width, height);
  const drawing = canvas.getContext("2d");
  drawing.fillStyle = "#9a9a9a";
  drawing.fillRect(0, 0, width, height);
  drawing.drawImage(picture, (width - side) / 2, (height - side) / 2, side, side);
  const data = drawing.getImageData(0, 0, width, height).data;
  let grey = "";
  for (let at = 0; at < data.length; at += 4) grey += String.fromCharCode(data[at]);
  return btoa(grey);
}"""


def confirmed(world: World) -> str:
    booking = requested(world)
    answer.confirm(said(world, booking), now=NOON)
    return booking


def code(booking: str) -> str:
    return code_of(booking, booking_row(booking).service_date)


def scan(seat: Seat, read: str, hour: float = 8):  # type: ignore[no-untyped-def]
    """What the front desk is answered at that hour of the day."""
    with clock.frozen(at(hour)):
        front = seat(login=f"m{next(_number)}")
        return front.post("/desk/check-in", "/desk/check-in", code=read)


def test_the_customers_page_shows_her_code_while_she_is_expected(visitor: Visitor, provider: World) -> None:
    booking = requested(provider)
    assert "Check-in code" not in visitor.get(f"/bookings/{booking}").text
    answer.confirm(said(provider, booking), now=NOON)
    page = visitor.get(f"/bookings/{booking}").text
    assert "Check-in code" in page and '<details class="shown mt-4">' in page
    assert code(booking) not in page and "<svg" in page.split("shown__code")[1], "it is drawn, and not written"
    with clock.frozen(at(8)):
        assert '<details class="shown mt-4" open>' in visitor.get(f"/bookings/{booking}").text
        answer.report(said(provider, booking), "checked_in", now=at(8))
        assert "Check-in code" not in visitor.get(f"/bookings/{booking}").text


def test_a_provider_with_a_system_of_its_own_reads_no_code_of_ours(visitor: Visitor, provider: World) -> None:
    booking = confirmed(provider)
    set_provider(provider.provider, adapter="open_protocol")
    assert "Check-in code" not in visitor.get(f"/bookings/{booking}").text


def test_a_code_that_is_read_checks_in_and_the_page_is_ready_for_the_next(seat: Seat, provider: World) -> None:
    booking = confirmed(provider)
    with clock.frozen(at(8)):
        front = seat()
        done = front.post("/desk/check-in", "/desk/check-in", code=code(booking))
        assert (done.status_code, done.headers["Location"]) == (303, "/desk/check-in")
        assert "Checked in: 沈**" in front.get("/desk/check-in").text
    again = scan(seat, code(booking), 8.1)
    assert again.status_code == 409 and "already" in main(again)
    assert booking_row(booking).state == "checked_in"


def test_what_cannot_be_checked_in_is_said_in_words(seat: Seat, provider: World) -> None:
    booking = confirmed(provider)
    early = scan(seat, code(booking), -24)
    assert early.status_code == 409 and "That can be said from" in main(early)
    foreign = make_world(phone="13800000032")
    set_provider(foreign.provider, adapter="desk")
    theirs = confirmed(foreign)
    for read in (code(theirs), booking_row(theirs).reference, "AXC1:x:y", "", "https://example.org", "x" * 400):
        none = scan(seat, read)
        assert none.status_code == 404 and "No booking of yours has this code or number." in main(none), read
    late = scan(seat, code(booking), 25)
    assert late.status_code == 409 and "This visit was on 10 March." in main(late)
    cancel(provider.principal, booking, now=NOON)
    work(provider)
    gone = scan(seat, code(booking))
    assert gone.status_code == 409 and "nobody is expected" in main(gone)


def test_the_camera_is_allowed_on_that_page_alone(front: Visitor) -> None:
    policy = front.get("/desk/check-in").headers["Permissions-Policy"]
    assert "camera=(self)" in policy and "microphone=()" in policy
    for path in ("/desk", "/desk/bookings", "/", "/operators/sign-in"):
        assert "camera=()" in front.get(path).headers["Permissions-Policy"], path


def test_the_page_works_by_typing_without_a_camera_or_a_script(seat: Seat, front: Visitor, provider: World) -> None:
    booking = confirmed(provider)
    panel = front.get("/desk/check-in").text.split('id="scan"')[1].split(">")[0]
    assert panel.endswith(" hidden"), "only the script shows it"
    number = booking_row(booking).reference
    assert scan(seat, f"{number[:2]} {number[2:6]} {number[6:]}").status_code == 303
    assert booking_row(booking).state == "checked_in"


def test_the_camera_reads_the_code_from_the_customers_page_and_her_page_says_so(
    app: Flask, site: Site, provider: World, tmp_path: Path, chromium: Browser
) -> None:
    booking = confirmed(provider)
    make_member(provider.provider.code, "front_desk")
    film = tmp_path / "code.y4m"
    flags = [
        *("--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
        f"--use-file-for-fake-video-capture={film}",
    ]
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with clock.frozen(at(8)):
        browser = chromium.browser_type.launch(executable_path=path, args=flags)
        hers = browser.new_context(service_workers="block", locale="en")
        hers.add_cookies(
            [{"name": SIGNED_IN.name, "value": issue_token("13800000021", NOON).token, "url": site.url("/")}]
        )
        her_page = hers.new_page()
        her_page.goto(site.url(f"/bookings/{booking}"))
        svg = her_page.locator(".shown__code svg").evaluate("it => new XMLSerializer().serializeToString(it)")
        film.write_bytes(filmed(hers.new_page().evaluate(_DRAWN, [svg, WIDTH, HEIGHT, SIDE])))

        desk = browser.new_context(service_workers="block", locale="en", permissions=["camera"])
        token = sign_in_operator("front_desk", PASSWORD, at(8), employer="provider").token  # type: ignore[union-attr]
        desk.add_cookies([{"name": DESK.name, "value": token, "url": site.url("/desk")}])
        faults: list[str] = []
        page = desk.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.goto(site.url("/desk/check-in"))
        page.get_by_role("button", name="Use the camera").click()
        page.get_by_text("Checked in: 沈**").wait_for(timeout=30_000)
        her_page.locator(".ticket").get_by_text("Checked in").wait_for(timeout=10_000)
        browser.close()
    assert booking_row(booking).state == "checked_in"
    assert faults == [], "nothing that the content policy forbids"


def filmed(grey: str) -> bytes:
    """A film of one still picture (YUV4MPEG2) from its grey values in base64."""
    luma = base64.b64decode(grey)
    assert len(luma) == WIDTH * HEIGHT
    frame = b"FRAME\n" + luma + b"\x80" * (WIDTH * HEIGHT // 2)
    return f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 3
