"""What somebody without an account sees by a link: a page with a button first, then the steps of one escort.

The first page shows nothing, so that programs which look at links ahead of people are no look. What this browser opened
stays open in it for a day, a few at a time. A link that opens nothing is not there, whatever the reason.
"""

from __future__ import annotations

import time

from flask import Response, render_template, request, session, url_for

from booking.escort.following import follow
from booking.escort.following.follow import Followed
from marketplace.core import clock
from marketplace.core.errors import NotFound, Unauthenticated
from marketplace.web.answers import Views, live, render, see_other, tag
from marketplace.web.escort.follow_page import FollowPage, page
from marketplace.web.prefetch import not_yet, only_prefetched
from marketplace.web.session import caller

STAYS_OPEN = 24 * 60 * 60
MOST_OPEN = 5
_OPENED = "follows"


def followed(token: str) -> Response:
    """The first page; opened by its button; then the steps. Each time the page is opened is a look."""
    now = clock.now()
    link = follow.find_link(token, now=now, caller=caller())
    if request.method == "POST":
        newest = {link.id: int(time.time()), **{it: at for it, at in _opened().items() if it != link.id}}
        session[_OPENED] = list(newest.items())[:MOST_OPEN]
        return _discreet(see_other(url_for("web.followed", token=token)))
    if only_prefetched():
        return _discreet(not_yet())
    if link.id not in _opened():
        return _discreet(render("followed_door.html", link=link, token=token))
    shown, etag = _page(follow.follow(token, now=now))
    return _discreet(render("followed.html", page=shown, version=etag, token=token))


def followed_live(token: str) -> Response:
    """The part that changes by itself, for the page that is open. It is no look: that was when the page was opened. A
    link that opens nothing any more lets the page begin anew, where it is not there."""
    now = clock.now()
    try:
        link = follow.find_link(token, now=now, caller=caller())
        if link.id not in _opened():
            raise Unauthenticated()
        shown, etag = _page(follow.follow(token, now=now, look=False))
    except NotFound as gone:
        raise Unauthenticated() from gone
    return _discreet(live(render_template("parts/followed_live.html", page=shown), etag))


def _page(found: Followed) -> tuple[FollowPage, str]:
    return page(found), tag(
        "followed", found, found.notes, [it.words for it in found.steps], clock.now().strftime("%Y-%m-%d")
    )


def _discreet(answer: Response) -> Response:
    """The token is in the address: no site is told it, not even ours by the next request, and no index keeps it."""
    answer.headers["Referrer-Policy"] = "strict-origin"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _opened() -> dict[str, int]:
    """The links that this browser opened within the last day, the newest first, with when; MOST_OPEN at most."""
    return {str(link): at for link, at in session.get(_OPENED) or () if time.time() - at < STAYS_OPEN}


VIEWS: Views = {"followed": followed, "followed_live": followed_live}
