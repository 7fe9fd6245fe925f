"""Coming from the insurer's app, signed in there already: a page with a button, then the page that the app wanted.

The first page uses nothing up, so that programs which look at links ahead of people end none. A link that opens nothing
has one page, whatever the reason, which says what to do.
"""

from __future__ import annotations

import flask
from flask import Response, request, url_for

from marketplace.core import clock
from marketplace.web import session
from marketplace.web.answers import Views, render, see_other
from marketplace.web.language import by_language
from marketplace.web.prefetch import not_yet, only_prefetched
from vip.insurers import bring


def arrive(token: str) -> Response:
    """The first page; its button opens the session, and ends the one that this browser had before."""
    if only_prefetched():
        return not_yet()
    now, visitor = clock.now(), session.visitor()
    try:
        if request.method == "POST":
            return _opened(bring.open_link(token, previous_token=session.session_token() or None, now=now))
        link = bring.find_link(token, visitor=None if visitor is None else visitor.id, now=now)
    except bring.LinkOver as over:
        return _discreet(render("arriving_over.html", over.status, signed_in=visitor is not None))
    insurer = by_language(link.insurer)
    return _discreet(render("arriving.html", insurer=insurer, same_customer=link.same_customer, token=token))


def _opened(opened: bring.Opened) -> Response:
    flask.session.clear()
    answer = see_other(session.safe_path(opened.path) or url_for("web.home"))
    signed_in = opened.signed_in
    session.store_token(answer, signed_in.token, signed_in.expires_at, signed_in.device)
    return _discreet(answer)


def _discreet(answer: Response) -> Response:
    """The token is in the address: no site is told it, not even ours by the next request, and no index keeps it."""
    answer.headers["Referrer-Policy"] = "strict-origin"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


VIEWS: Views = {"arrive": arrive}
