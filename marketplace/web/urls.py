"""The map of the customer pages on one page: endpoint of the blueprint `web`, rule, methods.

Views bind to it by the endpoint's name; templates link by `url_for("web.<endpoint>")`.
"""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    """One address. `open` pages need no sign-in."""

    endpoint: str
    rule: str
    methods: tuple[str, ...] = ("GET",)
    open: bool = False


_FORM = ("GET", "POST")

PAGES = (
    Page("sign_in", "/sign-in", _FORM, open=True),
    Page("sign_in_code", "/sign-in/code", _FORM, open=True),
    Page("sign_out", "/sign-out", ("POST",)),
    Page("preferences", "/preferences", ("POST",), open=True),
    Page("home", "/"),
    Page("home_live", "/live"),
    Page("places", "/places"),
    Page("cities", "/places/cities"),
    Page("packages", "/sites/<site>/packages"),
    Page("times", "/offers/<offer>/times", _FORM),
    Page("who", "/who"),
    Page("confirm", "/bookings/<booking>/confirm", _FORM),
    Page("bookings", "/bookings"),
    Page("booking", "/bookings/<booking>"),
    Page("booking_live", "/bookings/<booking>/live"),
    Page("booking_cancel", "/bookings/<booking>/cancel", _FORM),
    Page("reports", "/reports"),
    Page("report", "/reports/<report>"),
    Page("report_document", "/reports/<report>/document"),
    Page("me", "/me"),
    Page("family_new", "/me/family/new", _FORM),
    Page("phone", "/me/phone", _FORM),
    Page("phone_code", "/me/phone/code", _FORM),
    Page("end_sessions", "/me/sessions/end", ("POST",)),
    Page("usage", "/benefits"),
    Page("benefit", "/benefits/<entitlement>"),
)
