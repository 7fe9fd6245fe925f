"""Pages behind a door about one's own account: password, second factor, recovery codes, another device, sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
from flask import Response, flash, request
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, Refusal, TooMany
from marketplace.web.answers import Views, field, retry_after, see_other
from marketplace.web.doors.door import Door
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.parts import Form
from marketplace.web.qr import qr_code
from vip.operators import device_changes
from vip.operators.account_changes import change_password
from vip.operators.operators import WrongPassword
from vip.operators.second_factor import Offer, OfferEnded, WrongSecondFactor
from vip.signin import signin
from vip.signin.signin import SignInAgain


class Own:
    """The pages about one's own account. `page` renders a template in the frame of the door's pages, with the entry of
    its menu."""

    def __init__(self, door: Door[Any], page: Callable[..., Response]) -> None:
        self._door, self._page = door, page

    @property
    def views(self) -> Views:
        """Endpoint to view."""
        return {
            "password": self.password,
            "sign_out_everywhere": self.sign_out_everywhere,
            "second_factor": self.second_factor,
            "device": self.device,
        }

    def password(self) -> Response:
        """Change one's own password; the other sessions end."""
        if request.method != "POST":
            return self._page("doors/password.html", "password", form=Form())
        given = {name: request.form.get(name, "") for name in ("present", "new")}
        try:
            change_password(self._door.who(), given["present"], given["new"], now=clock.now())
        except (Invalid, WrongPassword, TooMany) as refusal:
            message = wording.sentence(refusal)
            form = Form(errors={refusal.at: message}) if refusal.at in given else Form(problem=message)
            return retry_after(self._page("doors/password.html", "password", refusal.status, form=form), refusal)
        flash(_("Your password is changed. Your other sessions have ended."), "ok")
        return see_other(self._door.url("password"))

    def sign_out_everywhere(self) -> Response:
        """End all sessions of one's own, this one too."""
        signin.sign_out_everywhere(self._door.who(), clock.now())
        flask.session.clear()
        answer = see_other(self._door.url("sign_in"))
        self._door.forget(answer)
        return answer

    def second_factor(self) -> Response:
        """Since when there is one, and how many recovery codes are left; the form makes new ones."""
        who, form, status = self._door.who(), Form(), 200
        if request.method == "POST":
            try:
                codes = device_changes.renew_recovery_codes(who, field("present", 60), now=clock.now())
                return self._page("doors/recovery_codes.html", "second_factor", codes=codes)
            except (WrongSecondFactor, TooMany) as refusal:
                page = self._state(_form(refusal), refusal.status)
                return retry_after(page, refusal)
        return self._state(form, status)

    def device(self) -> Response:
        """Another device, or the first one: the QR code, and a form with a code of it."""
        who, now = self._door.who(), clock.now()
        if request.method != "POST":
            return self._device(device_changes.offer(who, now=now), Form())
        sealed = field("offer")
        try:
            codes = device_changes.change_device(who, field("present", 60), sealed, field("code", 60), now=now)
        except OfferEnded as refusal:
            return self._device(device_changes.offer(who, now=now), _form(refusal), refusal.status)
        except (WrongSecondFactor, TooMany) as refusal:
            page = self._device(device_changes.offered(who, sealed, now=now), _form(refusal), refusal.status)
            return retry_after(page, refusal)
        except SignInAgain as refusal:
            return self._device(device_changes.offer(who, now=now), Form(), refusal.status, problem_of(refusal))
        return self._page("doors/recovery_codes.html", "second_factor", codes=codes)

    def _state(self, form: Form, status: int) -> Response:
        page = device_changes.status(self._door.who())
        return self._page("doors/second_factor.html", "second_factor", status, page=page, form=form)

    def _device(self, offer: Offer, form: Form, status: int = 200, problem: Problem | None = None) -> Response:
        present = device_changes.status(self._door.who()).since is not None
        page = {"offer": offer, "qr": qr_code(offer.uri), "form": form, "present": present, "problem": problem}
        return self._page("doors/device.html", "second_factor", status, **page)


def _form(refusal: Refusal) -> Form:
    message = wording.sentence(refusal)
    return Form(errors={refusal.at: message}) if refusal.at in ("present", "code") else Form(problem=message)
