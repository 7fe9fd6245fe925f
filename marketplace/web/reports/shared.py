"""What a person without an account sees by a link: a page with a button first, then one report and its papers.

The first page shows nothing, so that programs which look at links ahead of people open nothing and count for nothing.
What this browser opened stays open in it for half an hour. A link that opens nothing is not there, whatever the reason.
"""

from __future__ import annotations

import time

from flask import Response, request, session, url_for

from booking.reports import share
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, TooMany
from marketplace.web.answers import Views, field, render, retry_after, see_other
from marketplace.web.parts import Form
from marketplace.web.prefetch import not_yet, only_prefetched
from marketplace.web.reports import shares_page
from marketplace.web.reports.papers import paper_answer, position_of
from marketplace.web.session import caller

STAYS_OPEN = 30 * 60
_OPENED = "opened"


def shared(token: str) -> Response:
    """The first page; opened by its button, with the access code if the link has one; then the report."""
    now = clock.now()
    link = share.find_link(token, now=now, opened=_opened())
    if request.method == "POST":
        try:
            _store_opened(share.open_share(token, field("code", 60), now=now, caller=caller()).id)
        except (Invalid, TooMany, share.WrongAccessCode) as refusal:
            form = Form(errors={"code": wording.sentence(refusal)})
            return retry_after(_link_page(token, link, form, refusal.status), refusal)
        return _discreet(see_other(url_for("web.shared", token=token)))
    if only_prefetched():
        return not_yet()
    if link.id != _opened():
        return _link_page(token, link, Form())
    view = share.read_share(token, now=now, opened=link.id)
    return _discreet(render("shared.html", page=shares_page.shared(view, token, link.expires_at)))


def shared_paper(token: str, position: str) -> Response:
    """A paper of it, or `pdf` for the report as a PDF."""
    if only_prefetched():
        return not_yet()
    place = None if position == "pdf" else position_of(position)
    paper = share.read_paper(token, place, now=clock.now(), opened=_opened())
    return _discreet(paper_answer(paper, "" if place is None else f"-{place + 1}"))


def _link_page(token: str, link: share.ShareLink, form: Form, status: int = 200) -> Response:
    return _discreet(render("shared_door.html", status, link=link, form=form, token=token))


def _discreet(answer: Response) -> Response:
    """The token is in the address: no site is told it, not even ours by the next request, and no index keeps it."""
    answer.headers["Referrer-Policy"] = "strict-origin"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _store_opened(share_id: str) -> None:
    session[_OPENED] = [share_id, int(time.time())]


def _opened() -> str:
    """The link that this browser opened within the last half hour, blank without one."""
    share_id, at = session.get(_OPENED) or ("", 0)
    return str(share_id) if time.time() - at < STAYS_OPEN else ""


VIEWS: Views = {"shared": shared, "shared_paper": shared_paper}
