"""我的保单: the customer's policies and what each gives her."""

from __future__ import annotations

from flask import Response

from marketplace.core import clock
from marketplace.web import session
from marketplace.web.account import policies_page
from marketplace.web.answers import Views, render
from marketplace.web.people import person
from vip.customers.family import family
from vip.entitlements.of_customer import entitlements
from vip.policies import of_customer


def policies() -> Response:
    """Those in force first; what is over below."""
    me = session.principal()
    today = clock.today(me.time_zone)
    people = [person(one, today) for one in family(me.id)]
    found = of_customer.policies(me.id, today=today)
    return render("policies.html", page=policies_page.page(found, entitlements(me.id, today=today), people))


VIEWS: Views = {"policies": policies}
