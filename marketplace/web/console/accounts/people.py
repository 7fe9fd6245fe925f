"""The console's pages about customers who are blocked or erased."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.personal.erase import Preview, UnderWay, erase_customer, preview_customer
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, TooMany
from marketplace.core.text import masked_name
from marketplace.web.answers import Views, field, retry_after, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import console_page
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.parts import Form
from marketplace.web.staying import in_the_way, refused, staying
from vip.customers import blocking
from vip.signin.signin import SignInAgain


def customers() -> Response:
    """Find a customer by phone. The search is a form that is sent, so that no number stands in an address."""
    if request.method != "POST":
        return console_page("customers", "customers", form=Form())
    phone = field("phone", 60)
    try:
        found = blocking.find_customer(session.operator(), phone, now=clock.now())
    except (Invalid, TooMany) as refusal:
        form = Form({"phone": phone}, {"phone": wording.sentence(refusal)})
        return retry_after(console_page("customers", "customers", refusal.status, form=form), refusal)
    except NotFound:
        form = Form({"phone": phone}, {"phone": _("No customer has this phone.")})
        return console_page("customers", "customers", 422, form=form)
    return see_other(url_for("console.customer", customer=found.public_id))


def customer(customer: str) -> Response:
    """Whether a customer may sign in; the form blocks or unblocks."""
    who, now, problem, status = session.operator(), clock.now(), None, 200
    if request.method == "POST":
        try:
            flash(_act(field("block", 1) != "", customer), "ok")
            return see_other(url_for("console.customer", customer=customer))
        except SignInAgain as refusal:
            problem, status = problem_of(refusal), refusal.status
    page = blocking.customer_status(who, customer, now=now)
    return console_page("customer", "customers", status, page=page, problem=problem)


def _act(block: bool, customer: str) -> str:
    """Do it; returns what is said about it."""
    who, now = session.operator(), clock.now()
    if block:
        blocking.block(who, customer, now=now)
        return _("The customer is blocked and signed out.")
    blocking.unblock(who, customer, now=now)
    return _("The customer can sign in again.")


def customer_erase(customer: str) -> Response:
    """Delete what is stored about a customer, because she asked for it."""
    who, now = session.operator(), clock.now()
    if request.method != "POST":
        return _erase_page(preview_customer(who, customer, now=now), customer)
    try:
        left = erase_customer(who, customer, now=now)
    except (UnderWay, SignInAgain) as refusal:
        return _erase_page(preview_customer(who, customer, now=now), customer, refusal)
    return console_page("customer_erased", "customers", staying=staying(left))


def _erase_page(page: Preview, customer: str, refusal: UnderWay | SignInAgain | None = None) -> Response:
    """Whose data it is and what would stay; or why it isn't deleted, with the bookings that are in the way."""
    refusal = refusal or page.in_the_way
    return console_page(
        "customer_erase",
        "customers",
        200 if refusal is None else refusal.status,
        customer=customer,
        whose=masked_name(page.name) if page.name else _("The data is deleted"),
        staying=staying(page.stays),
        problem=None if refusal is None else Problem(refused(refusal), isinstance(refusal, SignInAgain)),
        under_way=in_the_way(refusal) if isinstance(refusal, UnderWay) else (),
    )


VIEWS: Views = {"customers": customers, "customer": customer, "customer_erase": customer_erase}
