"""Every page with invented content, to be looked at; served on a free loopback port.

`python -m tests.marketplace.web.gallery`

SHOWN maps a name to a template and to the function that makes its context.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, Flask, Response, render_template
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.serving import make_server

from marketplace.core import clock
from marketplace.web.assets import CONTENT_POLICY, init_look
from marketplace.web.urls import OPERATOR_PAGES, PAGES
from tests.marketplace.web import samples as s

SHOWN: dict[str, tuple[str, Callable[[], s.Context]]] = {
    "sign_in": ("sign_in.html", s.sign_in),
    "sign_in_error": ("sign_in.html", partial(s.sign_in, error=True)),
    "sign_in_code": ("sign_in_code.html", s.sign_in_code),
    "home": ("home.html", s.home),
    "home_waiting": ("home.html", s.home_waiting),
    "home_empty": ("home.html", s.home_empty),
    "places": ("places.html", s.places),
    "places_empty": ("places.html", s.places_empty),
    "cities": ("cities.html", s.cities),
    "packages": ("packages.html", s.packages),
    "times": ("times.html", s.times),
    "times_taken": ("times.html", s.times_taken),
    "times_by_day": ("times.html", s.times_by_day),
    "times_none": ("times.html", s.times_none),
    "who": ("who.html", s.who),
    "confirm": ("confirm.html", s.confirm),
    "booking_held": ("booking.html", partial(s.booking, "held")),
    "booking_awaiting": ("booking.html", partial(s.booking, "awaiting_provider", answer_by=s.at(11, 23, 16))),
    "booking_unknown": ("booking.html", partial(s.booking, "outcome_unknown", answer_by=s.at(11, 23, 18))),
    "booking_confirmed": ("booking.html", partial(s.booking, "confirmed")),
    "booking_checked_in": ("booking.html", partial(s.booking, "checked_in")),
    "booking_in_service": ("booking.html", partial(s.booking, "in_service")),
    "booking_fulfilled": (
        "booking.html",
        partial(s.booking, "fulfilled", report="expected", report_due=s.at(12, 3, 18)),
    ),
    "booking_reported": ("booking.html", partial(s.booking, "fulfilled", report="ready")),
    "booking_no_show": ("booking.html", partial(s.booking, "no_show", quota_used=True)),
    "booking_cancelled": ("booking.html", partial(s.booking, "cancelled", by="provider")),
    "booking_rejected": ("booking.html", partial(s.booking, "rejected")),
    "booking_expired": ("booking.html", partial(s.booking, "expired")),
    "booking_changeable": ("booking.html", s.booking_changeable),
    "booking_proposed": ("booking.html", s.booking_proposed),
    "booking_proposed_asked": ("booking.html", partial(s.booking_proposed, state="awaiting_provider")),
    "booking_changing": ("booking.html", s.booking_changing),
    "booking_refused": ("booking.html", s.booking_refused),
    "booking_changing_unknown": ("booking.html", partial(s.booking_changing, unknown=True)),
    "times_change": ("times.html", s.times_change),
    "booking_change": ("booking_change.html", s.booking_change),
    "booking_moved_away": ("booking.html", s.booking_moved_away),
    "booking_missed": ("booking.html", s.booking_missed),
    "booking_disputed": ("booking.html", partial(s.booking_missed, "open")),
    "booking_dispute_over": ("booking.html", partial(s.booking_missed, "rejected")),
    "booking_dispute": ("booking_dispute.html", s.booking_dispute),
    "booking_dispute_wrong": ("booking_dispute.html", partial(s.booking_dispute, problem=True)),
    "booking_cancel": ("booking_cancel.html", s.booking_cancel),
    "bookings": ("bookings.html", s.bookings),
    "bookings_empty": ("bookings.html", s.bookings_empty),
    "bookings_waiting": ("bookings.html", s.bookings_waiting),
    "bookings_waited": ("bookings.html", s.bookings_waited),
    "waiting_new": ("waiting_new.html", s.waiting_new),
    "waiting_wrong": ("waiting_new.html", partial(s.waiting_new, wrong=True)),
    "waiting_refused": ("waiting_new.html", s.waiting_refused),
    "waiting_stop": ("waiting_stop.html", s.waiting_stop),
    "waiting_over": ("waiting_stop.html", partial(s.waiting_stop, problem="This wait is over already.")),
    "reports": ("reports.html", s.reports),
    "reports_empty": ("reports.html", s.reports_none),
    "reports_narrowed": ("reports.html", partial(s.reports_none, "There is none for this choice.")),
    "report": ("report.html", s.report),
    "report_corrected": ("report.html", s.report_corrected),
    "report_partial": ("report.html", s.report_partial),
    "report_trend": ("report_trend.html", s.trend),
    "report_compare": ("report_compare.html", s.compare),
    "report_choose": ("report_choose.html", s.choose),
    "report_choose_error": ("report_choose.html", partial(s.choose, problem=True)),
    "report_choose_none": ("report_choose.html", partial(s.choose, several=False)),
    "report_delete": ("report_delete.html", lambda: {"report": s.about()}),
    "report_share": ("report_share.html", s.report_share),
    "report_shared": ("report_share.html", partial(s.report_share, made=True)),
    "shared_door": ("shared_door.html", s.shared_door),
    "shared_code": ("shared_door.html", partial(s.shared_door, error=True)),
    "shared": ("shared.html", s.shared),
    "consent": ("consent.html", partial(s.consent, "missing")),
    "consent_given": ("consent.html", partial(s.consent, "given")),
    "consent_back": ("consent_back.html", partial(s.consent_back, "phone")),
    "consent_back_code": ("consent_back.html", partial(s.consent_back, "code")),
    "consent_back_done": ("consent_back.html", partial(s.consent_back, "done")),
    "consent_code": ("consent_code.html", s.consent_code),
    "me": ("me.html", s.me),
    "my_data": ("my_data.html", s.my_data),
    "my_data_old": ("my_data.html", partial(s.my_data, recent=False)),
    "erase": ("erase.html", s.erase),
    "erase_late": ("erase.html", partial(s.erase, recent=False)),
    "erase_booked": ("erase.html", partial(s.erase, booked=True)),
    "erased": ("erased.html", lambda: {"staying": s.left()}),
    "family_new": ("family_new.html", s.family_new),
    "family_remove": ("family_remove.html", s.family_remove),
    "family_booked": ("family_remove.html", partial(s.family_remove, problem=True)),
    "phone_new": ("phone.html", partial(s.phone, "new")),
    "phone_codes": ("phone.html", partial(s.phone, "codes")),
    "usage": ("usage.html", s.usage),
    "notices": ("notices.html", s.notices),
    "message_settings": ("message_settings.html", s.message_settings),
    "message_settings_open": ("message_settings.html", partial(s.message_settings, fresh=True)),
    "outbox": ("outbox.html", s.outbox),
    "outbox_empty": ("outbox.html", lambda: {"messages": ()}),
    "notices_none": ("notices.html", s.notices_none),
    "report_trend_one": ("report_trend.html", partial(s.trend, 1)),
    "offline": ("offline.html", s.offline),
    "error_404": ("error.html", partial(s.error, 404)),
    "error_403": ("error.html", partial(s.error, 403)),
    "error_429": ("error.html", partial(s.error, 429)),
    "error_500": ("error.html", partial(s.error, 500)),
    "operator": ("operator_sign_in.html", s.operator),
    "operator_code": ("operator_code.html", s.operator_code),
    "operator_device": ("operator_device.html", s.operator_device),
    "operator_codes": ("operator_recovery_codes.html", s.operator_codes),
    "operator_own_password": ("operator_own_password.html", s.operator_own_password),
    "console": ("console/home.html", s.console),
    "console_quiet": ("console/home.html", s.console_quiet),
    "console_differences": ("console/discrepancies.html", s.console_differences),
    "console_bookings": ("console/bookings.html", s.console_bookings),
    "console_find": ("console/bookings.html", partial(s.console_bookings, searched=False)),
    "console_booking": ("console/booking.html", s.console_booking),
    "console_agent": ("console/booking.html", s.console_agent),
    "console_cancel": ("console/booking_cancel.html", s.console_cancel),
    "console_disputes": ("console/disputes.html", s.console_disputes),
    "console_disputes_none": ("console/disputes.html", partial(s.console_disputes, empty=True)),
    "console_dispute": ("console/dispute.html", s.console_dispute),
    "console_dispute_wrong": ("console/dispute.html", partial(s.console_dispute, problem=True)),
    "console_differences_closed": ("console/discrepancies.html", partial(s.console_differences, closed=True)),
    "console_case": ("console/case.html", s.console_case),
    "console_case_closed": ("console/case.html", s.console_case_closed),
    "console_repair": ("console/repair.html", s.console_repair),
    "console_repair_note": ("console/repair.html", partial(s.console_repair, "note", problem=True)),
    "console_runs": ("console/runs.html", s.console_runs),
    "console_runs_empty": ("console/runs.html", partial(s.console_runs, empty=True)),
    "console_statements": ("console/statements.html", s.console_statements),
    "console_statements_empty": ("console/statements.html", partial(s.console_statements, empty=True)),
    "console_statement": ("console/statement.html", s.console_statement),
    "console_closures": ("console/closures.html", s.console_closures),
    "console_closures_empty": ("console/closures.html", partial(s.console_closures, empty=True)),
    "console_closure": ("console/closure.html", s.console_closure),
    "console_closure_new": ("console/closure_new.html", s.console_closure_new),
    "console_closure_days": ("console/closure_new.html", partial(s.console_closure_new, 1)),
    "console_closure_means": ("console/closure_new.html", partial(s.console_closure_new, 2)),
    "console_providers": ("console/providers.html", s.console_providers),
    "console_jobs": ("console/jobs.html", s.console_jobs),
    "console_password": ("console/password.html", s.console_password),
    "console_accounts": ("console/accounts.html", s.console_accounts),
    "console_account": ("console/account.html", s.console_account),
    "console_account_ended": ("console/account.html", partial(s.console_account, ended=True)),
    "console_account_new": ("console/account_new.html", s.console_account_new),
    "console_account_made": ("console/account_new.html", partial(s.console_account_new, made=True)),
    "console_second_factor": ("console/second_factor.html", s.console_second_factor),
    "console_second_factor_none": ("console/second_factor.html", partial(s.console_second_factor, none=True)),
    "console_device": ("console/device.html", s.console_device),
    "console_recovery_codes": ("console/recovery_codes.html", s.console_recovery_codes),
    "console_customers": ("console/customers.html", s.console_customers),
    "console_customer": ("console/customer.html", s.console_customer),
    "console_erase": ("console/customer_erase.html", s.console_erase),
    "console_erased": ("console/customer_erased.html", s.console_erase),
    "console_customer_blocked": ("console/customer.html", partial(s.console_customer, blocked=True)),
}


def _show(name: str) -> str:
    template, context = SHOWN[name]
    with clock.frozen(s.NOW):
        return render_template(template, **context())


def _secured(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    return response


def _no_worker() -> Response:
    """A worker that does nothing."""
    return Response("", content_type="text/javascript")


def create_gallery() -> Flask:
    """An application that holds the pages' addresses and shows each sample under `/gallery/<name>`. A template that
    names something its context lacks fails."""
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="only for looking at pages", TESTING=True)
    app.jinja_env.undefined = StrictUndefined
    CSRFProtect(app)
    init_look(app)
    app.jinja_env.globals["unread_notices"] = lambda: 2
    web = Blueprint("web", __name__)
    for page in PAGES:
        view = _no_worker if page.endpoint == "service_worker" else lambda **_parts: ("", 204)
        web.add_url_rule(page.rule, page.endpoint, view, methods=page.methods)
    console = Blueprint("console", __name__)
    for page in OPERATOR_PAGES:
        console.add_url_rule(page.rule, page.endpoint, lambda **_parts: ("", 204), methods=page.methods)
    app.register_blueprint(web)
    app.register_blueprint(console)
    app.add_url_rule("/gallery/<name>", "gallery", _show)
    app.after_request(_secured)
    return app


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, create_gallery(), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}/gallery/home", flush=True)
    server.serve_forever()
