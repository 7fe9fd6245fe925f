"""Signing in at a door: the password, then what is asked besides it (second factor, a password of one's own)."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, flash, request
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, Refusal, TooMany, Unauthenticated
from marketplace.web.answers import Views, asked, field, render, retry_after, see_other
from marketplace.web.doors.door import Door
from marketplace.web.parts import Form
from marketplace.web.qr import qr_code
from marketplace.web.session import caller
from vip.operators import sign_in_steps
from vip.operators.account_changes import choose_password
from vip.operators.operators import WrongPassword, sign_in_operator
from vip.operators.second_factor import Offer, OfferEnded, WrongSecondFactor
from vip.operators.sign_in_steps import NextStep, OperatorSignedIn, Step
from vip.signin import signin

_PAGES: dict[Step, str] = {"code": "sign_in_code", "device": "sign_in_device", "password": "sign_in_password"}


class Entering:
    """The pages of one door's sign-in."""

    def __init__(self, door: Door[Any]) -> None:
        self._door = door
        self._employer = door.employer

    @property
    def views(self) -> Views:
        """Endpoint to view."""
        return {
            "sign_in": self.sign_in,
            "sign_in_code": self.sign_in_code,
            "sign_in_device": self.sign_in_device,
            "sign_in_password": self.sign_in_password,
            "sign_out": self.sign_out,
        }

    def sign_in(self) -> Response:
        """By name and password; the session that the browser had before ends. `again` shows it to who is signed in."""
        if request.method != "POST":
            if self._door.visiting() is not None and not asked("again"):
                return see_other(self._door.url("home"))
            return self._page("sign_in", "sign_in", Form())
        name = field("name", 80)
        try:
            found = sign_in_operator(
                name,
                request.form.get("password", ""),
                clock.now(),
                previous_token=self._door.session_token() or None,
                known_by=self._door.known_by() or None,
                caller=caller(),
                employer=self._employer,
            )
        except (WrongPassword, TooMany) as refusal:
            form = Form({"name": name}, problem=wording.sentence(refusal))
            return retry_after(self._page("sign_in", "sign_in", form, refusal.status), refusal)
        return self._go_on(found)

    def sign_in_code(self) -> Response:
        """The second factor: a code of the device, or a recovery code."""
        if (elsewhere := self._elsewhere("code")) is not None:
            return elsewhere
        if request.method != "POST":
            return self._page("code", "sign_in_code", Form())
        try:
            found = sign_in_steps.show_code(
                self._door.ticket(),
                field("code", 60),
                now=clock.now(),
                previous_token=self._door.session_token() or None,
                known_by=self._door.known_by() or None,
                caller=caller(),
                employer=self._employer,
            )
        except (WrongSecondFactor, TooMany) as refusal:
            return retry_after(self._page("code", "sign_in_code", _form(refusal), refusal.status), refusal)
        return self._go_on(found)

    def sign_in_device(self) -> Response:
        """Set up a second factor, and see the recovery codes once."""
        if (elsewhere := self._elsewhere("device")) is not None:
            return elsewhere
        ticket, now = self._door.ticket(), clock.now()
        if request.method != "POST":
            return self._device(sign_in_steps.offer_device(ticket, now=now, employer=self._employer), Form())
        sealed = field("offer")
        try:
            done = sign_in_steps.set_up_device(
                ticket,
                sealed,
                field("code", 60),
                now=now,
                previous_token=self._door.session_token() or None,
                employer=self._employer,
            )
        except (WrongSecondFactor, TooMany) as refusal:
            offer = sign_in_steps.offered_device(ticket, sealed, now=now, employer=self._employer)
            return retry_after(self._device(offer, _form(refusal), refusal.status), refusal)
        except OfferEnded as refusal:
            return self._device(
                sign_in_steps.offer_device(ticket, now=now, employer=self._employer), _form(refusal), refusal.status
            )
        onward = self._door.next_path(field("next"))
        answer = render("doors/first_codes.html", door=self._door, codes=done.recovery_codes, next_url=onward)
        return self._hand_over(answer, done.then)

    def sign_in_password(self) -> Response:
        """Choose a password of one's own in place of the one that was given."""
        if (elsewhere := self._elsewhere("password")) is not None:
            return elsewhere
        if request.method != "POST":
            return self._page("own_password", "sign_in_password", Form())
        try:
            found = choose_password(
                self._door.ticket(),
                request.form.get("new", ""),
                now=clock.now(),
                previous_token=self._door.session_token() or None,
                employer=self._employer,
            )
        except (Invalid, TooMany) as refusal:
            page = self._page("own_password", "sign_in_password", _form(refusal, "new"), refusal.status)
            return retry_after(page, refusal)
        return self._go_on(found)

    def sign_out(self) -> Response:
        """End the session, here and in the database."""
        signin.sign_out(self._door.who(), clock.now())
        flask.session.clear()
        answer = see_other(self._door.url("sign_in"))
        self._door.forget(answer)
        return answer

    def _elsewhere(self, step: Step) -> Response | None:
        """None if this step is awaited of this browser; else the way to the one that is, or to the first page."""
        try:
            awaited = sign_in_steps.awaited(self._door.ticket(), now=clock.now(), employer=self._employer)
        except Unauthenticated:
            if self._door.ticket():
                flash(_("That took too long. Sign in once more."), "notice")
            answer = see_other(self._door.url("sign_in", next=self._next() or None))
            self._door.forget_ticket(answer)
            return answer
        return None if awaited == step else see_other(self._door.url(_PAGES[awaited], next=self._next() or None))

    def _go_on(self, found: OperatorSignedIn | NextStep) -> Response:
        """To the page that was wanted, or to the next step."""
        if isinstance(found, NextStep):
            return self._hand_over(see_other(self._door.url(_PAGES[found.step], next=self._next() or None)), found)
        return self._hand_over(see_other(self._door.next_path(self._next())), found)

    def _hand_over(self, answer: Response, found: OperatorSignedIn | NextStep) -> Response:
        if isinstance(found, NextStep):
            self._door.store_ticket(answer, found)
            return answer
        flask.session.clear()
        self._door.forget_ticket(answer)
        self._door.store_token(answer, found.token, found.expires_at, found.device)
        return answer

    def _next(self) -> str:
        return field("next") or asked("next")

    def _device(self, offer: Offer, form: Form, status: int = 200) -> Response:
        return self._page("first_device", "sign_in_device", form, status, offer=offer, qr=qr_code(offer.uri))

    def _page(self, template: str, endpoint: str, form: Form, status: int = 200, **context: Any) -> Response:
        return render(
            f"doors/{template}.html",
            status,
            door=self._door,
            form=form,
            action=self._door.url(endpoint),
            next_url=self._next(),
            **context,
        )


def _form(refusal: Refusal, name: str = "code") -> Form:
    message = wording.sentence(refusal)
    return Form(errors={name: message}) if refusal.at == name else Form(problem=message)
