"""The links by which a customer lets her family follow an escort: made, shown once, listed with each look, ended."""

from __future__ import annotations

import hashlib

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.escort.following.links import (
    MOST_LINKS,
    MadeLink,
    NewLink,
    NothingToFollow,
    TooManyFollowers,
    end_link,
    links_of,
    make_link,
)
from booking.escort.shown.view import escort
from booking.idempotency import Repeatable
from marketplace import wording
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import IdempotencyKeyReused, Invalid
from marketplace.core.ids import new_token
from marketplace.web.answers import Views, field, render, see_other
from marketplace.web.escort import links_page
from marketplace.web.parts import Form
from marketplace.web.session import principal


def escort_links(booking: str) -> Response:
    """The links of an escort; its form makes another one, whose address is shown this once. The form sent again, as by
    two clicks or a reload, shows the same one."""
    if request.method != "POST":
        return _page(booking, Form())
    values = {name: field(name, 200) for name in ("name", "days_after", "with_notes", "idempotency_key")}
    new = NewLink(
        values["name"],
        int(values["days_after"]) if values["days_after"] in ("0", "1") else -1,
        values["with_notes"] == "1",
    )
    try:
        made = make_link(principal(), booking, new, _repeat(booking, new, values["idempotency_key"]), now=clock.now())
    except Invalid as refusal:
        return _page(booking, Form(values, {refusal.at or "name": wording.sentence(refusal)}), refusal.status)
    except IdempotencyKeyReused as refusal:
        return _page(
            booking, Form({**values, "idempotency_key": ""}, problem=wording.sentence(refusal)), refusal.status
        )
    except (NothingToFollow, TooManyFollowers) as refusal:
        return _page(booking, Form(values, problem=wording.sentence(refusal)), refusal.status)
    return _page(booking, Form(), made=made)


def _repeat(booking: str, new: NewLink, key: str) -> Repeatable | None:
    if not key:
        return None
    said = hashlib.sha256("\0".join((booking, new.name, str(new.days_after), str(new.with_notes))).encode()).digest()
    return Repeatable(principal().public_id, f"escort_link:{key}", said)


def escort_link_end(booking: str, link: str) -> Response:
    """End one at once."""
    end_link(principal(), booking, link, now=clock.now())
    flash(_("The link opens nothing any more."), "ok")
    return see_other(url_for("web.escort_links", booking=booking))


def _page(booking: str, form: Form, status: int = 200, made: MadeLink | None = None) -> Response:
    me, now = principal(), clock.now()
    view = escort(me, booking, now=now, look=False)
    links = links_of(me, booking, now=now)
    shown = links_page.made(made, view, lambda token: settings().public_url + url_for("web.followed", token=token))
    return render(
        "escort_links.html",
        status,
        booking=booking,
        about=links_page.about(view),
        form=form,
        key=form.values.get("idempotency_key") or new_token(),
        made=shown if made and made.link.state == "open" else None,
        links=tuple(links_page.row(it, view) for it in links),
        may=links_page.may_make(view, links, now),
        most=MOST_LINKS,
    )


VIEWS: Views = {"escort_links": escort_links, "escort_link_end": escort_link_end}
