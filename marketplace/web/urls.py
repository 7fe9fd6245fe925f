"""The map of the pages on one page: endpoint of the blueprint (`web` for customers, `console`, `desk`), rule, methods.

Views bind to it by the endpoint's name; templates link by `url_for("web.<endpoint>")`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

from providers.staff import duties
from providers.staff.duties import DeskDuty
from vip.principal import MemberRole, Role
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


class DeskPage(NamedTuple):
    """One address of the desk; only members with the duty find it, and every member where it is None. `open` pages need
    no sign-in. `at`: whether it is there in test mode, outside of it (`live`), or in both. `any_side`: its form may
    have been drawn on the other side of test mode, since it does the same. `senders`: it is there for the people of a
    provider that offers a kind for which somebody is sent, and for no others."""

    endpoint: str
    rule: str
    methods: tuple[str, ...] = ("GET",)
    duty: DeskDuty | None = "team"
    open: bool = False
    at: Literal["both", "live", "test"] = "both"
    any_side: bool = False
    senders: bool = False

    def there(self, *, test: bool) -> bool:
        """Whether it is there, in test mode or outside of it."""
        return self.at == "both" or (self.at == "test") == test


_FORM = ("GET", "POST")

PAGES = (
    Page("sign_in", "/sign-in", _FORM, open=True),
    Page("sign_in_code", "/sign-in/code", _FORM, open=True),
    Page("arrive", "/arrive/<token>", _FORM, open=True),
    Page("sign_out", "/sign-out", ("POST",)),
    Page("preferences", "/preferences", ("POST",), open=True),
    Page("home", "/"),
    Page("home_live", "/live"),
    Page("live_ticket", "/live/ticket", ("POST",)),
    Page("places", "/places"),
    Page("cities", "/places/cities"),
    Page("venues", "/places/venues"),
    Page("venue_cities", "/places/venues/cities"),
    Page("venue_coverage", "/sites/<site>/coverage", _FORM),
    Page("levels", "/places/levels"),
    Page("favourite", "/sites/<site>/favourite", ("POST",)),
    Page("packages", "/sites/<site>/packages"),
    Page("venue", "/sites/<site>/services"),
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
    Page("escort", "/bookings/<booking>/escort"),
    Page("escort_live", "/bookings/<booking>/escort/live"),
    Page("escort_paper", "/bookings/<booking>/escort/papers/<picture>"),
    Page("escort_well", "/bookings/<booking>/escort/well", ("POST",)),
    Page("escort_wrong", "/bookings/<booking>/escort/wrong", ("POST",)),
    Page("escort_rate", "/bookings/<booking>/escort/rating", ("POST",)),
    Page("escort_links", "/bookings/<booking>/escort/links", _FORM),
    Page("escort_link_end", "/bookings/<booking>/escort/links/<link>/end", ("POST",)),
    Page("consultation_start", "/consultation/new", _FORM),
    Page("consultation", "/consultation/<conversation>"),
    Page("consultation_live", "/consultation/<conversation>/live"),
    Page("consultation_say", "/consultation/<conversation>/messages", ("POST",)),
    Page("consultation_show", "/consultation/<conversation>/pictures", ("POST",)),
    Page("consultation_picture", "/consultation/<conversation>/pictures/<picture>"),
    Page("consultation_thumbnail", "/consultation/<conversation>/pictures/<picture>/thumbnail"),
    Page("consultation_read", "/consultation/<conversation>/read", ("POST",)),
    Page("consultation_typing", "/consultation/<conversation>/typing", ("POST",)),
    Page("consultation_choose", "/consultation/<conversation>/choice", ("POST",)),
    Page("consultation_reports", "/consultation/<conversation>/reports", ("POST",)),
    Page("consultation_reopen", "/consultation/<conversation>/reopen", ("POST",)),
    Page("consultation_rate", "/consultation/<conversation>/rating", ("POST",)),
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
    Page("followed", "/shared/escort/<token>", _FORM, open=True),
    Page("followed_live", "/shared/escort/<token>/live", open=True),
    Page("shared_paper", "/shared/<token>/papers/<position>", open=True),
    Page("me", "/me"),
    Page("family_new", "/me/family/new", _FORM),
    Page("family_remove", "/me/family/<member>/remove", _FORM),
    Page("consent", "/me/family/<member>/consent", _FORM),
    Page("consent_code", "/me/family/<member>/consent/code", _FORM),
    Page("consent_end", "/me/family/<member>/consent/end", ("POST",)),
    Page("phone", "/me/phone", _FORM),
    Page("phone_code", "/me/phone/code", _FORM),
    Page("policies", "/me/policies"),
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
    OperatorPage("figures", "/operators/figures"),
    OperatorPage("figures_csv", "/operators/figures/csv"),
    OperatorPage("figure_rows", "/operators/figures/<of>"),
    OperatorPage("figure_rows_csv", "/operators/figures/<of>/csv"),
    OperatorPage("coverage", "/operators/coverage"),
    OperatorPage("coverage_csv", "/operators/coverage/csv"),
    OperatorPage("coverage_city", "/operators/coverage/city", _FORM),
    OperatorPage("closures", "/operators/closures"),
    OperatorPage("closure_new", "/operators/closures/new", _FORM),
    OperatorPage("closure", "/operators/closures/<closure>", _FORM),
    OperatorPage("places", "/operators/places", _FORM),
    OperatorPage("place", "/operators/places/<site>", _FORM),
    OperatorPage("providers", "/operators/providers"),
    OperatorPage("provider", "/operators/providers/<provider>", _FORM),
    OperatorPage("clinicians", "/operators/providers/<provider>/clinicians", _FORM),
    OperatorPage("provider_names", "/operators/providers/<provider>/names", _FORM),
    OperatorPage("provider_manager", "/operators/providers/<provider>/manager", _FORM, duty="people"),
    OperatorPage("certify", "/operators/providers/certify", ("POST",)),
    OperatorPage("certificates", "/operators/providers/<provider>/certificates"),
    OperatorPage("certificate_run", "/operators/providers/<provider>/runs/<run>"),
    OperatorPage("applications", "/operators/applications"),
    OperatorPage("application", "/operators/applications/<application>", _FORM),
    OperatorPage("imports", "/operators/imports", _FORM, duty="imports"),
    OperatorPage("import_template", "/operators/imports/template/<kind>", duty="imports"),
    OperatorPage("import_one", "/operators/imports/<batch>", _FORM, duty="imports"),
    OperatorPage("import_live", "/operators/imports/<batch>/live", duty="imports"),
    OperatorPage("import_refused", "/operators/imports/<batch>/refused", duty="imports"),
    OperatorPage("jobs", "/operators/jobs"),
    OperatorPage("customers", "/operators/customers", _FORM, duty="people"),
    OperatorPage("customer", "/operators/customers/<customer>", _FORM, duty="people"),
    OperatorPage("customer_erase", "/operators/customers/<customer>/erase", _FORM, duty="people"),
    OperatorPage("policies", "/operators/policies", _FORM, duty="people"),
    OperatorPage("policies_csv", "/operators/policies/csv", duty="people"),
    OperatorPage("policy", "/operators/policies/<policy>", duty="people"),
    OperatorPage("policy_number", "/operators/policies/<policy>/number", ("POST",), duty="people"),
    OperatorPage("snapshots", "/operators/snapshots", duty="people"),
    OperatorPage("snapshot", "/operators/snapshots/<snapshot>", _FORM, duty="people"),
    OperatorPage("accounts", "/operators/accounts", duty="people"),
    OperatorPage("account_new", "/operators/accounts/new", _FORM, duty="people"),
    OperatorPage("account", "/operators/accounts/<operator>", _FORM, duty="people"),
    OperatorPage("password", "/operators/password", _FORM, duty="desk"),
    OperatorPage("sign_out_everywhere", "/operators/sign-out-everywhere", ("POST",), duty="desk"),
    OperatorPage("second_factor", "/operators/second-factor", _FORM, duty="desk"),
    OperatorPage("device", "/operators/second-factor/device", _FORM, duty="desk"),
)
"""The console's pages: endpoint of the blueprint `console`."""


DESK_PAGES = (
    DeskPage("sign_in", "/desk/sign-in", _FORM, None, open=True),
    DeskPage("sign_in_code", "/desk/sign-in/code", _FORM, None, open=True),
    DeskPage("sign_in_device", "/desk/sign-in/device", _FORM, None, open=True),
    DeskPage("sign_in_password", "/desk/sign-in/password", _FORM, None, open=True),
    DeskPage("join", "/desk/join/<token>", _FORM, None, open=True),
    DeskPage("apply", "/desk/apply", _FORM, None, open=True),
    DeskPage("apply_sent", "/desk/apply/sent", duty=None, open=True),
    DeskPage("apply_confirm", "/desk/apply/<token>", _FORM, None, open=True),
    DeskPage("sign_out", "/desk/sign-out", ("POST",), None, any_side=True),
    DeskPage("live_ticket", "/desk/live/ticket", ("POST",), None, any_side=True),
    DeskPage("home", "/desk", duty=None),
    DeskPage("home_live", "/desk/live", duty="arrivals"),
    DeskPage("agree", "/desk/agree", ("POST",), "bookings"),
    DeskPage("bookings", "/desk/bookings", _FORM, "bookings"),
    DeskPage("booking", "/desk/bookings/<booking>", duty="arrivals"),
    DeskPage("answer", "/desk/bookings/<booking>/<saying>", _FORM, "arrivals"),
    DeskPage("check_in", "/desk/check-in", _FORM, "arrivals"),
    DeskPage("reports", "/desk/reports", duty="reports"),
    DeskPage("report_new", "/desk/bookings/<booking>/reports", _FORM, "reports"),
    DeskPage("consultations", "/desk/consultations", duty="consultations", at="live"),
    DeskPage("consultations_live", "/desk/consultations/live", duty="consultations", at="live"),
    DeskPage("consultation", "/desk/consultations/<conversation>", duty="consultations", at="live"),
    DeskPage("consultation_live", "/desk/consultations/<conversation>/live", duty="consultations", at="live"),
    DeskPage("consultation_say", "/desk/consultations/<conversation>/words", ("POST",), "consultations", at="live"),
    DeskPage("consultation_show", "/desk/consultations/<conversation>/shown", ("POST",), "consultations", at="live"),
    DeskPage(
        "consultation_picture",
        "/desk/consultations/<conversation>/pictures/<picture>",
        duty="consultations",
        at="live",
    ),
    DeskPage(
        "consultation_report", "/desk/consultations/<conversation>/reports/<report>", duty="consultations", at="live"
    ),
    DeskPage("consultation_trend", "/desk/consultations/<conversation>/trends/<item>", duty="consultations", at="live"),
    DeskPage("consultation_close", "/desk/consultations/<conversation>/close", _FORM, "consultations", at="live"),
    DeskPage("consultation_do", "/desk/consultations/<conversation>/<act>", ("POST",), "consultations", at="live"),
    DeskPage("phrases", "/desk/phrases", _FORM, "consultations", at="live"),
    DeskPage("phrase", "/desk/phrases/<phrase>", _FORM, "consultations", at="live"),
    DeskPage("shift", "/desk/shift", _FORM, "consultations", at="live"),
    DeskPage("escorts", "/desk/escort", duty="escorting", at="live"),
    DeskPage("escort_here", "/desk/escort/here", duty="escorting", at="live"),
    DeskPage("escort_worker", "/desk/escort/sw.js", duty=None, open=True),
    DeskPage("escort_manifest", "/desk/escort/manifest.webmanifest", duty=None, open=True),
    DeskPage("escort", "/desk/escort/<assignment>", duty="escorting", at="live"),
    DeskPage("escort_answer", "/desk/escort/<assignment>/answer", ("POST",), "escorting", at="live"),
    DeskPage("escort_deeds", "/desk/escort/<assignment>/deeds", ("POST",), "escorting", at="live"),
    DeskPage("team", "/desk/members", duty="team", at="live"),
    DeskPage("member_invite", "/desk/members/invite", _FORM, "team", at="live"),
    DeskPage("invitation_withdraw", "/desk/members/invitations/<invitation>/withdraw", ("POST",), "team", at="live"),
    DeskPage("member", "/desk/members/<member>", _FORM, "team", at="live"),
    DeskPage("capacity", "/desk/capacity", duty="capacity"),
    DeskPage("capacity_pool", "/desk/capacity/<pool>", duty="capacity"),
    DeskPage("capacity_rules", "/desk/capacity/<pool>/rules", _FORM, "capacity"),
    DeskPage("capacity_day", "/desk/capacity/<pool>/days/<day>", _FORM, "capacity"),
    DeskPage("capacity_decide", "/desk/capacity/<pool>/undecided", _FORM, "capacity"),
    DeskPage("capacity_change", "/desk/capacity/changes/<change>", duty="capacity"),
    DeskPage("dispatch", "/desk/dispatch", duty="dispatch", at="live", senders=True),
    DeskPage("dispatch_live", "/desk/dispatch/live", duty="dispatch", at="live", senders=True),
    DeskPage("dispatch_booking", "/desk/dispatch/bookings/<booking>", _FORM, "dispatch", at="live", senders=True),
    DeskPage("dispatch_workers", "/desk/dispatch/workers", _FORM, "dispatch", at="live", senders=True),
    DeskPage("dispatch_worker_new", "/desk/dispatch/workers/new", _FORM, "team", at="live", senders=True),
    DeskPage("dispatch_worker", "/desk/dispatch/workers/<worker>", _FORM, "dispatch", at="live", senders=True),
    DeskPage(
        "dispatch_worker_change", "/desk/dispatch/workers/<worker>/change", _FORM, "team", at="live", senders=True
    ),
    DeskPage("dispatch_venues", "/desk/dispatch/workers/<worker>/venues", _FORM, "dispatch", at="live", senders=True),
    DeskPage("dispatch_home", "/desk/dispatch/workers/<worker>/home", _FORM, "team", at="live", senders=True),
    DeskPage("dispatch_roster", "/desk/dispatch/workers/<worker>/roster", _FORM, "dispatch", at="live", senders=True),
    DeskPage("dispatch_away", "/desk/dispatch/workers/<worker>/away", _FORM, "dispatch", at="live", senders=True),
    DeskPage("offers", "/desk/offers", duty="setup"),
    DeskPage("offer_new", "/desk/offers/new", _FORM, "setup"),
    DeskPage("offer_place_new", "/desk/offers/places/new", _FORM, "setup"),
    DeskPage("offer_place", "/desk/offers/places/<pool>", _FORM, "setup"),
    DeskPage("offer", "/desk/offers/<offer>", _FORM, "setup"),
    DeskPage("application", "/desk/application", _FORM, "setup", at="live"),
    DeskPage("profile", "/desk/profile", _FORM, "setup", at="live"),
    DeskPage("system", "/desk/system", _FORM, "setup"),
    DeskPage("system_connection", "/desk/system/connection", _FORM, "setup"),
    DeskPage("system_test", "/desk/system/tests/<test>", _FORM, "setup"),
    DeskPage("system_live", "/desk/system/live", duty="setup"),
    DeskPage("system_test_live", "/desk/system/tests/<test>/live", duty="setup"),
    DeskPage("system_run", "/desk/system/runs/<run>", duty="setup"),
    DeskPage("rehearsals", "/desk/rehearsals", _FORM, "setup", at="test"),
    DeskPage("rehearsal", "/desk/rehearsals/<rehearsal>", _FORM, "setup", at="test"),
    DeskPage("rehearsal_live", "/desk/rehearsals/<rehearsal>/live", duty="setup", at="test"),
    DeskPage("test_mode", "/desk/test-mode", _FORM, "arrivals", any_side=True),
    DeskPage("test_mode_leave", "/desk/test-mode/leave", ("POST",), None, any_side=True),
    DeskPage("test_bookings", "/desk/test-bookings", duty="bookings", at="test"),
    DeskPage("test_bookings_live", "/desk/test-bookings/live", duty="bookings", at="test"),
    DeskPage("test_book", "/desk/test-bookings/new", _FORM, "bookings", at="test"),
    DeskPage("test_clear", "/desk/test-bookings/clear", _FORM, "setup", at="test"),
    DeskPage("test_cancel", "/desk/test-bookings/<booking>/cancel", ("POST",), "bookings", at="test"),
    DeskPage("test_change", "/desk/test-bookings/<booking>/change", _FORM, "bookings", at="test"),
    DeskPage("statements", "/desk/statements", duty="figures", at="live"),
    DeskPage("statement", "/desk/statements/<statement>", duty="figures", at="live"),
    DeskPage("statement_csv", "/desk/statements/<statement>/csv", duty="figures", at="live"),
    DeskPage("figures", "/desk/figures", duty="figures", at="live"),
    DeskPage("figures_csv", "/desk/figures/csv", duty="figures", at="live"),
    DeskPage("figure_rows", "/desk/figures/<of>", duty="figures", at="live"),
    DeskPage("figure_rows_csv", "/desk/figures/<of>/csv", duty="figures", at="live"),
    DeskPage("setup", "/desk/setup", duty="setup"),
    DeskPage("health", "/desk/setup/health", duty="setup"),
    DeskPage("program_new", "/desk/setup/clients/new", _FORM, "setup"),
    DeskPage("program", "/desk/setup/clients/<client>", _FORM, "setup"),
    DeskPage("hook_new", "/desk/setup/webhooks/new", _FORM, "setup"),
    DeskPage("hook", "/desk/setup/webhooks/<hook>", _FORM, "setup"),
    DeskPage("deliveries", "/desk/setup/webhooks/<hook>/deliveries", _FORM, "setup"),
    DeskPage("contacts", "/desk/setup/contacts", _FORM, "setup"),
    DeskPage("password", "/desk/password", _FORM, None),
    DeskPage("sign_out_everywhere", "/desk/sign-out-everywhere", ("POST",), None, any_side=True),
    DeskPage("second_factor", "/desk/second-factor", _FORM, None),
    DeskPage("device", "/desk/second-factor/device", _FORM, None),
)
"""The desk's pages: endpoint of the blueprint `desk`."""


def pages_of(role: str) -> frozenset[str]:
    """The endpoints of the console's pages that a role finds."""
    duties = DUTIES.get(cast(Role, role), frozenset())
    return frozenset(page.endpoint for page in OPERATOR_PAGES if page.open or page.duty in duties)


def desk_pages_of(role: MemberRole, *, test: bool = False, sends: bool = False) -> frozenset[str]:
    """The endpoints of the desk's pages that a role finds, in test mode or outside of it, at a provider that sends
    somebody or not."""
    found = duties.DUTIES[role]
    return frozenset(
        page.endpoint
        for page in DESK_PAGES
        if page.there(test=test) and (sends or not page.senders) and (page.duty is None or page.duty in found)
    )


def first_desk_page(role: MemberRole) -> str:
    """The endpoint where the work of a role begins that has no part in the day's: the first page of its own duties."""
    found = duties.DUTIES[role]
    own = (page for page in DESK_PAGES if page.duty in found and page.methods[0] == "GET" and "<" not in page.rule)
    return next((page.endpoint for page in own), "password")
