"""The way to a doctor on the home page: the conversation that goes on, or the beginning of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _

from booking.consultation.read import conversations_of
from booking.consultation.views import ConversationCard
from booking.offers.at_once import offers_at_once
from booking.pledges.pledge import promised_seconds
from booking.states import GIVEN_UP, BookingState
from marketplace.catalog.kinds import has_times, kinds
from marketplace.web.formats import dotted, span
from marketplace.web.language import by_language
from marketplace.web.people import named
from vip.entitlements.of_customer import EntitlementView
from vip.principal import Principal


@dataclass(frozen=True)
class Chat:
    """The entry card. `sign` is what its ring holds (`90″`), blank for an icon; `unread` counts what she has not
    read."""

    title: str
    text: str
    url: str
    sign: str = ""
    unread: int = 0


def chat(me: Principal, found: Sequence[EntitlementView], now: datetime) -> Chat | None:
    """The newest conversation that is open or holds what she has not read; else the benefit with which one begins; None
    without either."""
    talks = [it for it in conversations_of(me) if BookingState(it.booking_state) not in GIVEN_UP]
    open_now = [it for it in talks if it.state != "closed"] or [it for it in talks if it.unread]
    if open_now:
        return _talk(max(open_now, key=lambda it: it.unread > 0))
    benefit = next((it for it in found if it.state == "active" and it.kind in kinds() and not has_times(it.kind)), None)
    if benefit is None:
        return None
    seconds = _pledged(me, benefit.kind, now)
    url = f"{url_for('web.consultation_start')}?{urlencode({'entitlement': benefit.public_id})}"
    text = _("Day and night, by text")
    if seconds is None:
        return Chat(_("Ask a doctor"), text, url)
    short = seconds <= 120
    time = _("%(num)d s", num=seconds) if short else span(seconds)
    return Chat(_("A doctor answers within %(time)s", time=time), text, url, f"{seconds}″" if short else "")


def _pledged(me: Principal, code: str, now: datetime) -> int | None:
    """Within how many seconds a first answer is pledged by the offer that is chosen where she chooses none; None where
    nothing is."""
    offers = offers_at_once(code, market=me.market, now=now)
    return promised_seconds(code, offers[0].package if offers else {})


def _talk(it: ConversationCard) -> Chat:
    titles = {"waiting": _("Waiting for a doctor"), "open": _("A doctor is with you")}
    if it.first_message_at is None:
        title = _("Write your question")
    else:
        title = titles.get(it.state) or _("Summary of the consultation")
    about = dotted((named(it.beneficiary_name, it.relation), by_language(it.department_name)))
    return Chat(title, about, url_for("web.consultation", conversation=it.id), unread=it.unread)
