"""The map of the pages on one page: endpoint of the blueprint (`web` for customers, `console`), rule, methods.

Views bind to it by the endpoint's name; templates link by `url_for("web.<endpoint>")`.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from vip.principal import Role
from vip.roles import DUTIES, Duty


class Page(NamedTuple):
    """One address. `open` pages need no sign-in."""

    endpoint: str
    rule: str
    methods: tuple[str, ...] = ("GET",)
    open: bool = False


class OperatorPage(NamedTuple):
    """One address of the console; only operators with the duty find it. `open` pages need no sign-in."""

    endpoint: str
    rule: str
    methods: tuple[str, ...] = ("GET",)
    duty: Duty = "books"
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
    Page("waiting_new", "/offers/<offer>/waiting", _FORM),
    Page("waiting_live", "/waiting/live"),
    Page("waiting_stop", "/waiting/<entry>/stop", _FORM),
    Page("who", "/who"),
    Page("confirm", "/bookings/<booking>/confirm", _FORM),
    Page("confirm_live", "/bookings/<booking>/confirm/live"),
    Page("bookings", "/bookings"),
    Page("bookings_live", "/bookings/live"),
    Page("booking", "/bookings/<booking>"),
    Page("booking_live", "/bookings/<booking>/live"),
    Page("booking_cancel", "/bookings/<booking>/cancel", _FORM),
    Page("booking_change", "/bookings/<booking>/change", _FORM),
    Page("booking_change_check", "/bookings/<booking>/change/check", _FORM),
    Page("booking_change_withdraw", "/bookings/<booking>/change/withdraw", ("POST",)),
    Page("booking_proposal", "/bookings/<booking>/proposal", ("POST",)),
    Page("booking_dispute", "/bookings/<booking>/dispute", _FORM),
    Page("reports", "/reports"),
    Page("report_compare", "/reports/compare"),
    Page("report_trend", "/reports/trends/<item>"),
    Page("report", "/reports/<report>"),
    Page("report_document", "/reports/<report>/document"),
    Page("report_paper", "/reports/<report>/papers/<position>"),
    Page("report_fhir", "/reports/<report>/fhir"),
    Page("report_delete", "/reports/<report>/delete", _FORM),
    Page("report_share", "/reports/<report>/share", _FORM),
    Page("report_share_end", "/reports/<report>/share/<share>/end", ("POST",)),
    Page("consent_back", "/consent", _FORM, open=True),
    Page("shared", "/shared/<token>", _FORM, open=True),
    Page("shared_paper", "/shared/<token>/papers/<position>", open=True),
    Page("me", "/me"),
    Page("family_new", "/me/family/new", _FORM),
    Page("family_remove", "/me/family/<member>/remove", _FORM),
    Page("consent", "/me/family/<member>/consent", _FORM),
    Page("consent_code", "/me/family/<member>/consent/code", _FORM),
    Page("consent_end", "/me/family/<member>/consent/end", ("POST",)),
    Page("phone", "/me/phone", _FORM),
    Page("phone_code", "/me/phone/code", _FORM),
    Page("my_data", "/me/data"),
    Page("copy_ask", "/me/data/copies", ("POST",)),
    Page("copy", "/me/data/copies/<copy>"),
    Page("erase_me", "/me/data/erase", _FORM),
    Page("erase_person", "/me/data/people/<person>/erase", _FORM),
    Page("erased", "/erased", open=True),
    Page("end_sessions", "/me/sessions/end", ("POST",)),
    Page("booking_calendar", "/bookings/<booking>/calendar.ics"),
    Page("calendar", "/calendar/<token>.ics", open=True),
    Page("message_settings", "/me/messages", _FORM),
    Page("message_email", "/me/messages/email", ("POST",)),
    Page("message_email_code", "/me/messages/email/code", ("POST",)),
    Page("calendar_address", "/me/calendar", ("POST",)),
    Page("offline", "/offline", open=True),
    Page("service_worker", "/sw.js", open=True),
    Page("outbox", "/development/outbox", open=True),
    Page("notices", "/notices"),
    Page("notices_read", "/notices/read", ("POST",)),
    Page("notice", "/notices/<notice>"),
    Page("usage", "/benefits"),
    Page("benefit", "/benefits/<entitlement>"),
)

OPERATOR_PAGES = (
    OperatorPage("sign_in", "/operators/sign-in", _FORM, open=True),
    OperatorPage("sign_in_code", "/operators/sign-in/code", _FORM, open=True),
    OperatorPage("sign_in_device", "/operators/sign-in/device", _FORM, open=True),
    OperatorPage("sign_in_password", "/operators/sign-in/password", _FORM, open=True),
    OperatorPage("sign_out", "/operators/sign-out", ("POST",), duty="desk"),
    OperatorPage("home", "/operators"),
    OperatorPage("bookings", "/operators/bookings", _FORM, duty="desk"),
    OperatorPage("booking", "/operators/bookings/<booking>", duty="desk"),
    OperatorPage("booking_cancel", "/operators/bookings/<booking>/cancel", _FORM, duty="desk"),
    OperatorPage("disputes", "/operators/disputes", duty="desk"),
    OperatorPage("dispute", "/operators/disputes/<dispute>", _FORM, duty="desk"),
    OperatorPage("discrepancies", "/operators/differences"),
    OperatorPage("case", "/operators/differences/<case>"),
    OperatorPage("delivered", "/operators/differences/<case>/delivered"),
    OperatorPage("repair", "/operators/differences/<case>/<action>", _FORM),
    OperatorPage("runs", "/operators/runs", _FORM),
    OperatorPage("statements", "/operators/statements"),
    OperatorPage("statement", "/operators/statements/<statement>"),
    OperatorPage("statement_csv", "/operators/statements/<statement>/csv"),
    OperatorPage("closures", "/operators/closures"),
    OperatorPage("closure_new", "/operators/closures/new", _FORM),
    OperatorPage("closure", "/operators/closures/<closure>", _FORM),
    OperatorPage("providers", "/operators/providers"),
    OperatorPage("jobs", "/operators/jobs"),
    OperatorPage("customers", "/operators/customers", _FORM, duty="people"),
    OperatorPage("customer", "/operators/customers/<customer>", _FORM, duty="people"),
    OperatorPage("customer_erase", "/operators/customers/<customer>/erase", _FORM, duty="people"),
    OperatorPage("accounts", "/operators/accounts", duty="people"),
    OperatorPage("account_new", "/operators/accounts/new", _FORM, duty="people"),
    OperatorPage("account", "/operators/accounts/<operator>", _FORM, duty="people"),
    OperatorPage("password", "/operators/password", _FORM, duty="desk"),
    OperatorPage("second_factor", "/operators/second-factor", _FORM, duty="desk"),
    OperatorPage("device", "/operators/second-factor/device", _FORM, duty="desk"),
)
"""The console's pages: endpoint of the blueprint `console`."""


def pages_of(role: str) -> frozenset[str]:
    """The endpoints of the console's pages that a role finds."""
    duties = DUTIES.get(cast(Role, role), frozenset())
    return frozenset(page.endpoint for page in OPERATOR_PAGES if page.open or page.duty in duties)
