"""The console's pages about one's own second factor: its state, new recovery codes, another device."""

from __future__ import annotations

from flask import Response, request

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Refusal, TooMany
from marketplace.web.answers import Views, field, retry_after
from marketplace.web.console import session
from marketplace.web.console.accounts.qr import qr_code
from marketplace.web.console.answers import Problem, console_page, problem_of
from marketplace.web.parts import Form
from vip.operators import device_changes
from vip.operators.second_factor import Offer, OfferEnded, WrongSecondFactor
from vip.signin.signin import SignInAgain


def second_factor() -> Response:
    """Since when there is one, and how many recovery codes are left; the form makes new ones."""
    who, form, status = session.operator(), Form(), 200
    if request.method == "POST":
        try:
            codes = device_changes.renew_recovery_codes(who, field("present", 60), now=clock.now())
            return console_page("recovery_codes", "second_factor", codes=codes)
        except (WrongSecondFactor, TooMany) as refusal:
            page = _state(_form(refusal), refusal.status)
            return retry_after(page, refusal)
    return _state(form, status)


def device() -> Response:
    """Another device, or the first one: the QR code, and a form with a code of it."""
    who, now = session.operator(), clock.now()
    if request.method != "POST":
        return _device(device_changes.offer(who, now=now), Form())
    sealed = field("offer")
    try:
        codes = device_changes.change_device(who, field("present", 60), sealed, field("code", 60), now=now)
    except OfferEnded as refusal:
        return _device(device_changes.offer(who, now=now), _form(refusal), refusal.status)
    except (WrongSecondFactor, TooMany) as refusal:
        page = _device(device_changes.offered(who, sealed, now=now), _form(refusal), refusal.status)
        return retry_after(page, refusal)
    except SignInAgain as refusal:
        return _device(device_changes.offer(who, now=now), Form(), refusal.status, problem_of(refusal))
    return console_page("recovery_codes", "second_factor", codes=codes)


def _state(form: Form, status: int) -> Response:
    page = device_changes.status(session.operator())
    return console_page("second_factor", "second_factor", status, page=page, form=form)


def _device(offer: Offer, form: Form, status: int = 200, problem: Problem | None = None) -> Response:
    present = device_changes.status(session.operator()).since is not None
    page = {"offer": offer, "qr": qr_code(offer.uri), "form": form, "present": present, "problem": problem}
    return console_page("device", "second_factor", status, **page)


def _form(refusal: Refusal) -> Form:
    message = wording.sentence(refusal)
    return Form(errors={refusal.at: message}) if refusal.at in ("present", "code") else Form(problem=message)


VIEWS: Views = {"second_factor": second_factor, "device": device}
