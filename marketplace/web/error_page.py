"""A problem as a page for people: the fact, the consequence, the next step."""

from __future__ import annotations

from flask import Response, request
from flask_babel import gettext as _

from marketplace.core.crypto import Unreadable
from marketplace.problems import Problem
from marketplace.web.answers import render
from vip.customers.consent import ConsentMissing

_TOLD_BY_THEMSELVES = (409, 422)
_CODES_TOLD = (Unreadable.code, ConsentMissing.code)


def error_page(problem: Problem) -> Response:
    """The page of `problem`, with its status and headers; the reference only where somebody may ask for it."""
    title, text = error_words(problem.status)
    if problem.status in _TOLD_BY_THEMSELVES or problem.code in _CODES_TOLD:
        title, text = problem.title, problem.detail
    headers = {name: value for name, value in problem.headers.items() if name != "WWW-Authenticate"}
    answer = render(
        "error.html",
        problem.status,
        error=problem.status,
        title=title,
        text=text,
        reference=problem.reference if problem.status == 500 else "",
        retry_url=_again(problem.status),
        wait=_seconds(headers.get("Retry-After", "")) if problem.status == 429 else 0,
    )
    answer.headers.update(headers)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "strict-origin"  # the address may be a key, as a shared report's
    return answer


def _again(status: int) -> str:
    """The address to try again, where that may help: this page if it is one, else the page that the form was on."""
    if status not in (401, 403, 409, 413, 500, 503) or request.url_rule is None:
        return ""
    return request.path if "GET" in (request.url_rule.methods or ()) else ""


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def error_words(status: int) -> tuple[str, str]:
    """Title and text for an HTTP status. Unknown ones read as our fault."""
    words = {
        400: (_("We could not read that"), _("Something in the request was broken. Nothing was changed.")),
        401: (_("You are signed out"), _("Sign in again to go on. Nothing was lost.")),
        403: (
            _("This form was open too long"),
            _("For your safety it has ended, and nothing was changed. Open the page again."),
        ),
        404: (_("There is nothing here"), _("The address is wrong, or what stood here is not yours to see.")),
        405: (_("That can't be done here"), _("Go back and use the buttons of the page. Nothing was changed.")),
        409: (_("Somebody was faster"), _("What you saw has changed in the meantime. Open the page again.")),
        413: (
            _("That is too large"),
            _("Nothing was changed. As a rule a file is too large; go back, and what you typed is still there."),
        ),
        429: (_("Too many tries"), _("To keep your account safe we ask you to wait. Nothing was changed.")),
        503: (
            _("We are back in a moment"),
            _("The service is being looked after. Your bookings and benefits are unchanged."),
        ),
    }
    fault = (_("This page didn't open"), _("The fault is ours. Your bookings and benefits are unchanged."))
    return words.get(status, fault)
