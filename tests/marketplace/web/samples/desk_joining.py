"""The desk's profile, how the provider's own system is connected, and what it has proved."""

from __future__ import annotations

from dataclasses import replace

from booking.joining.outcomes import Outcome
from booking.joining.view import ConnectionView, SystemTestView
from marketplace.catalog.provider_profile import LONGEST_NAME
from marketplace.core.text import Text
from marketplace.web.certificate_words import CertifiedRow
from marketplace.web.desk.joining import connecting_page
from marketplace.web.doors.problems import Problem
from marketplace.web.parts import Form
from tests.marketplace.web.samples.certified import certified, past, program
from tests.marketplace.web.samples.desk import PROVIDER, desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context, at, zh_en

URL = "https://partner.example/anxiang/v1"


def profile(wrong: bool = False, approved: bool = True) -> Context:
    values = {"name_zh": PROVIDER.zh, "name_en": "" if wrong else PROVIDER.en, "time_zone": "Moon" if wrong else ZONE}
    errors = {
        "name_en": zh_en("请填写此项。", "This is needed."),
        "time_zone": zh_en("请选择其中一项。", "This is not one of the possible values."),
    }
    page = desk_page(
        "profile",
        form=Form(values, errors if wrong else {}),
        zones=["Asia/Shanghai", "Asia/Urumqi", "UTC"],
        longest=LONGEST_NAME,
        certified=True,
    )
    return {**page, "me": replace(page["me"], approved=approved and not wrong)}


def system(
    failed: bool = False, never: bool = False, here: bool = False, limit: str = "", awaits: bool = False
) -> Context:
    whole, broken, untried, none = certified()
    it = broken if failed else untried if never else none if here else whole
    return _system(it, never or here, here, limit, awaits)


def system_of_program(test_mode: bool = True, limit: str = "") -> Context:
    return _system(program(test_mode), True, True, limit)


def _system(it: CertifiedRow, none: bool, here: bool, limit: str, awaits: bool = False) -> Context:
    return desk_page(
        "system",
        it=it,
        past=past(none=none),
        before=_before(here),
        kind=None if here else connecting_page.kind("open_protocol"),
        last=connecting_page.tried_page(_tried(Outcome.FIT, connected=True), ZONE)
        if not none and not it.failed
        else None,
        problem=limit,
        awaits=awaits,
        live_url="/gallery/desk_system",
        version="x",
    )


def kinds(stays: bool = False) -> Context:
    return desk_page("system", kinds=connecting_page.kinds(), before=_before(here=True, stays=stays))


def connection(adapter: str = "fhir", wrong: bool = False) -> Context:
    settings = {"auth": "client_credentials", "client_id": "anxiang", "page_size": "5000"} if adapter == "fhir" else {}
    fields = connecting_page.fields_of(adapter, URL, settings)
    errors = {
        "base_url": zh_en("地址必须以 https 开头。", "The address must begin with https."),
        "secret": zh_en("请填写此项。", "This is needed."),
        "settings.page_size": zh_en("必须在 1 到 1000 之间。", "This must be between 1 and 1000."),
    }
    again = Problem(zh_en("请重新登录。", "Sign in once more, then do this within 15 minutes."), again=True)
    return desk_page(
        "system",
        ask=connecting_page.ask(adapter, _before(), fields),
        form=Form(fields, errors if wrong else {}),
        problem=again if wrong else None,
    )


def tried(outcome: Outcome | None, wrong: bool = False, loses: bool = False, removes_secret: bool = False) -> Context:
    it = _tried(outcome, needs_secret=wrong, loses=loses, removes_secret=removes_secret)
    page = connecting_page.tried_page(it, ZONE)
    errors = {
        "secret": zh_en("这不是测试时用的密钥。", "This is not the secret that was tried."),
        "confirmed": zh_en("请在下面确认。", "Confirm it below."),
    }
    return desk_page("system", page=page, version="1", form=Form(errors=errors if wrong else {}), problem=None)


def _before(here: bool = False, stays: bool = False) -> ConnectionView:
    adapter, url = ("desk", "") if here else ("open_protocol", URL)
    return ConnectionView(adapter, here, url, {}, not here, stays, ("10.20.0.0/16",))


def _tried(
    outcome: Outcome | None,
    *,
    connected: bool = False,
    needs_secret: bool = False,
    removes_secret: bool = False,
    loses: bool = False,
) -> SystemTestView:
    missing = [Text("服务器没有 Slot。", "The server has no Slot.")] if outcome is Outcome.MISSING else []
    fit = outcome is Outcome.FIT and not connected
    status = {Outcome.FIT: 200, Outcome.MISSING: 200, Outcome.NOT_AUTHORISED: 401}.get(outcome or Outcome.FIT)
    return SystemTestView(
        "syt_1",
        "open_protocol",
        URL,
        {},
        at(11, 24, 9),
        outcome is None,
        False,
        outcome,
        at(11, 24, 9) if outcome else None,
        1240 if outcome else None,
        [{"asked": "GET /slots", "status": status}] if outcome else [],
        missing,
        ("10.20.0.0/16",),
        fit,
        needs_secret,
        removes_secret,
        removes_secret,
        loses,
        at(11, 24, 10) if connected else None,
        connected,
    )
