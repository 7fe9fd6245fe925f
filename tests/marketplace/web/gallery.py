"""Every page with invented content, to be looked at; served on a free loopback port.

`python -m tests.marketplace.web.gallery`

SHOWN maps a name to a template and to the function that makes its context.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Flask, Response, render_template
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.serving import make_server

from marketplace.core import clock
from marketplace.web.assets import CONTENT_POLICY, init_look
from marketplace.web.urls import OPERATOR_PAGES, PAGES
from tests.marketplace.web.samples import (
    account,
    booking,
    console,
    everyday,
    finding,
    notices,
    operators,
    reports,
    waiting,
)

SHOWN: dict[str, tuple[str, Callable[[], everyday.Context]]] = {
    "sign_in": ("sign_in.html", account.sign_in),
    "sign_in_error": ("sign_in.html", partial(account.sign_in, error=True)),
    "sign_in_code": ("sign_in_code.html", account.sign_in_code),
    "home": ("home.html", finding.home),
    "home_waiting": ("home.html", finding.home_waiting),
    "home_empty": ("home.html", finding.home_empty),
    "places": ("places.html", finding.places),
    "places_empty": ("places.html", finding.places_empty),
    "cities": ("cities.html", finding.cities),
    "packages": ("packages.html", finding.packages),
    "times": ("times.html", finding.times),
    "times_taken": ("times.html", finding.times_taken),
    "times_by_day": ("times.html", finding.times_by_day),
    "times_none": ("times.html", finding.times_none),
    "who": ("who.html", booking.who),
    "confirm": ("confirm.html", booking.confirm),
    "booking_held": ("booking.html", partial(booking.booking, "held")),
    "booking_awaiting": (
        "booking.html",
        partial(booking.booking, "awaiting_provider", answer_by=everyday.at(11, 23, 16)),
    ),
    "booking_unknown": ("booking.html", partial(booking.booking, "outcome_unknown", answer_by=everyday.at(11, 23, 18))),
    "booking_confirmed": ("booking.html", partial(booking.booking, "confirmed")),
    "booking_checked_in": ("booking.html", partial(booking.booking, "checked_in")),
    "booking_in_service": ("booking.html", partial(booking.booking, "in_service")),
    "booking_fulfilled": (
        "booking.html",
        partial(booking.booking, "fulfilled", report="expected", report_due=everyday.at(12, 3, 18)),
    ),
    "booking_reported": ("booking.html", partial(booking.booking, "fulfilled", report="ready")),
    "booking_no_show": ("booking.html", partial(booking.booking, "no_show", quota_used=True)),
    "booking_cancelled": ("booking.html", partial(booking.booking, "cancelled", by="provider")),
    "booking_rejected": ("booking.html", partial(booking.booking, "rejected")),
    "booking_expired": ("booking.html", partial(booking.booking, "expired")),
    "booking_changeable": ("booking.html", booking.booking_changeable),
    "booking_proposed": ("booking.html", booking.booking_proposed),
    "booking_proposed_asked": ("booking.html", partial(booking.booking_proposed, state="awaiting_provider")),
    "booking_changing": ("booking.html", booking.booking_changing),
    "booking_refused": ("booking.html", booking.booking_refused),
    "booking_changing_unknown": ("booking.html", partial(booking.booking_changing, unknown=True)),
    "times_change": ("times.html", booking.times_change),
    "booking_change": ("booking_change.html", booking.booking_change),
    "booking_moved_away": ("booking.html", booking.booking_moved_away),
    "booking_missed": ("booking.html", booking.booking_missed),
    "booking_disputed": ("booking.html", partial(booking.booking_missed, "open")),
    "booking_dispute_over": ("booking.html", partial(booking.booking_missed, "rejected")),
    "booking_dispute": ("booking_dispute.html", booking.booking_dispute),
    "booking_dispute_wrong": ("booking_dispute.html", partial(booking.booking_dispute, problem=True)),
    "booking_cancel": ("booking_cancel.html", booking.booking_cancel),
    "bookings": ("bookings.html", booking.bookings),
    "bookings_empty": ("bookings.html", waiting.bookings_empty),
    "bookings_waiting": ("bookings.html", waiting.bookings_waiting),
    "bookings_waited": ("bookings.html", waiting.bookings_waited),
    "waiting_new": ("waiting_new.html", waiting.waiting_new),
    "waiting_wrong": ("waiting_new.html", partial(waiting.waiting_new, wrong=True)),
    "waiting_refused": ("waiting_new.html", waiting.waiting_refused),
    "waiting_stop": ("waiting_stop.html", waiting.waiting_stop),
    "waiting_over": ("waiting_stop.html", partial(waiting.waiting_stop, problem="This wait is over already.")),
    "reports": ("reports.html", reports.reports),
    "reports_empty": ("reports.html", reports.reports_none),
    "reports_narrowed": ("reports.html", partial(reports.reports_none, "There is none for this choice.")),
    "report": ("report.html", reports.report),
    "report_corrected": ("report.html", reports.report_corrected),
    "report_partial": ("report.html", reports.report_partial),
    "report_trend": ("report_trend.html", reports.trend),
    "report_compare": ("report_compare.html", reports.compare),
    "report_choose": ("report_choose.html", reports.choose),
    "report_choose_error": ("report_choose.html", partial(reports.choose, problem=True)),
    "report_choose_none": ("report_choose.html", partial(reports.choose, several=False)),
    "report_delete": ("report_delete.html", lambda: {"report": reports.about()}),
    "report_share": ("report_share.html", reports.report_share),
    "report_shared": ("report_share.html", partial(reports.report_share, made=True)),
    "shared_door": ("shared_door.html", reports.shared_door),
    "shared_code": ("shared_door.html", partial(reports.shared_door, error=True)),
    "shared": ("shared.html", reports.shared),
    "consent": ("consent.html", partial(account.consent, "missing")),
    "consent_given": ("consent.html", partial(account.consent, "given")),
    "consent_back": ("consent_back.html", partial(account.consent_back, "phone")),
    "consent_back_code": ("consent_back.html", partial(account.consent_back, "code")),
    "consent_back_done": ("consent_back.html", partial(account.consent_back, "done")),
    "consent_code": ("consent_code.html", account.consent_code),
    "me": ("me.html", account.me),
    "my_data": ("my_data.html", account.my_data),
    "my_data_old": ("my_data.html", partial(account.my_data, recent=False)),
    "erase": ("erase.html", account.erase),
    "erase_late": ("erase.html", partial(account.erase, recent=False)),
    "erase_booked": ("erase.html", partial(account.erase, booked=True)),
    "erased": ("erased.html", lambda: {"staying": account.left()}),
    "family_new": ("family_new.html", account.family_new),
    "family_remove": ("family_remove.html", account.family_remove),
    "family_booked": ("family_remove.html", partial(account.family_remove, problem=True)),
    "phone_new": ("phone.html", partial(account.phone, "new")),
    "phone_codes": ("phone.html", partial(account.phone, "codes")),
    "usage": ("usage.html", account.usage),
    "notices": ("notices.html", notices.notices),
    "message_settings": ("message_settings.html", notices.message_settings),
    "message_settings_open": ("message_settings.html", partial(notices.message_settings, fresh=True)),
    "outbox": ("outbox.html", notices.outbox),
    "outbox_empty": ("outbox.html", lambda: {"messages": ()}),
    "notices_none": ("notices.html", notices.notices_none),
    "report_trend_one": ("report_trend.html", partial(reports.trend, 1)),
    "offline": ("offline.html", everyday.offline),
    "error_404": ("error.html", partial(everyday.error, 404)),
    "error_403": ("error.html", partial(everyday.error, 403)),
    "error_429": ("error.html", partial(everyday.error, 429)),
    "error_500": ("error.html", partial(everyday.error, 500)),
    "operator": ("operator_sign_in.html", operators.operator),
    "operator_code": ("operator_code.html", operators.operator_code),
    "operator_device": ("operator_device.html", operators.operator_device),
    "operator_codes": ("operator_recovery_codes.html", operators.operator_codes),
    "operator_own_password": ("operator_own_password.html", operators.operator_own_password),
    "console": ("console/home.html", console.console),
    "console_quiet": ("console/home.html", console.console_quiet),
    "console_differences": ("console/discrepancies.html", console.console_differences),
    "console_bookings": ("console/bookings.html", console.console_bookings),
    "console_find": ("console/bookings.html", partial(console.console_bookings, searched=False)),
    "console_booking": ("console/booking.html", console.console_booking),
    "console_agent": ("console/booking.html", console.console_agent),
    "console_cancel": ("console/booking_cancel.html", console.console_cancel),
    "console_disputes": ("console/disputes.html", console.console_disputes),
    "console_disputes_none": ("console/disputes.html", partial(console.console_disputes, empty=True)),
    "console_dispute": ("console/dispute.html", console.console_dispute),
    "console_dispute_wrong": ("console/dispute.html", partial(console.console_dispute, problem=True)),
    "console_differences_closed": ("console/discrepancies.html", partial(console.console_differences, closed=True)),
    "console_case": ("console/case.html", console.console_case),
    "console_case_closed": ("console/case.html", console.console_case_closed),
    "console_repair": ("console/repair.html", console.console_repair),
    "console_repair_note": ("console/repair.html", partial(console.console_repair, "note", problem=True)),
    "console_runs": ("console/runs.html", console.console_runs),
    "console_runs_empty": ("console/runs.html", partial(console.console_runs, empty=True)),
    "console_statements": ("console/statements.html", console.console_statements),
    "console_statements_empty": ("console/statements.html", partial(console.console_statements, empty=True)),
    "console_statement": ("console/statement.html", console.console_statement),
    "console_closures": ("console/closures.html", console.console_closures),
    "console_closures_empty": ("console/closures.html", partial(console.console_closures, empty=True)),
    "console_closure": ("console/closure.html", console.console_closure),
    "console_closure_new": ("console/closure_new.html", console.console_closure_new),
    "console_closure_days": ("console/closure_new.html", partial(console.console_closure_new, 1)),
    "console_closure_means": ("console/closure_new.html", partial(console.console_closure_new, 2)),
    "console_providers": ("console/providers.html", console.console_providers),
    "console_jobs": ("console/jobs.html", console.console_jobs),
    "console_password": ("console/password.html", console.console_password),
    "console_accounts": ("console/accounts.html", operators.console_accounts),
    "console_account": ("console/account.html", operators.console_account),
    "console_account_ended": ("console/account.html", partial(operators.console_account, ended=True)),
    "console_account_new": ("console/account_new.html", operators.console_account_new),
    "console_account_made": ("console/account_new.html", partial(operators.console_account_new, made=True)),
    "console_second_factor": ("console/second_factor.html", operators.console_second_factor),
    "console_second_factor_none": ("console/second_factor.html", partial(operators.console_second_factor, none=True)),
    "console_device": ("console/device.html", operators.console_device),
    "console_recovery_codes": ("console/recovery_codes.html", operators.console_recovery_codes),
    "console_customers": ("console/customers.html", console.console_customers),
    "console_customer": ("console/customer.html", console.console_customer),
    "console_erase": ("console/customer_erase.html", console.console_erase),
    "console_erased": ("console/customer_erased.html", console.console_erase),
    "console_customer_blocked": ("console/customer.html", partial(console.console_customer, blocked=True)),
}


def _show(name: str) -> str:
    template, context = SHOWN[name]
    with clock.frozen(everyday.NOW):
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
    os.environ.setdefault("ANXIANG_ENV", "development")
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1/none")  # settings want one; nothing connects
    server = make_server("127.0.0.1", 0, create_gallery(), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}/gallery/home", flush=True)
    server.serve_forever()
