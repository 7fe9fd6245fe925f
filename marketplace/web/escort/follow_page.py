"""An escort as the family follows it by a link."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _

from booking.escort.following.follow import Followed
from marketplace.catalog.kinds import words_of
from marketplace.core.text import opening
from marketplace.web import formats
from marketplace.web.escort.lines import Line, hour_told, lines
from marketplace.web.language import by_language
from marketplace.web.parts import Turn
from marketplace.web.people import relation_word
from marketplace.web.place_words import site_of


@dataclass(frozen=True)
class FollowPage:
    """`person`: a relation, or a given name. `notes`: what the escort wrote, with its time as it is written and as it
    is; empty unless the customer ticked it. `zone`: where the escort is. `final` stops live updates."""

    title: str
    for_whom: str = field(repr=False)
    about: str
    turn: Turn | None
    lines: tuple[Line, ...]
    notes: tuple[tuple[str, str, datetime], ...] = field(repr=False)
    expires_at: datetime
    zone: str
    final: bool


def page(found: Followed) -> FollowPage:
    """The page of a link."""
    day, zone = found.service_date, found.time_zone
    person = found.name or (_("the customer") if found.relation == "self" else relation_word(found.relation))
    when = formats.appointment(day, found.starts_at, zone)
    return FollowPage(
        title=_title(found),
        for_whom=found.for_whom,
        about=_("%(when)s, %(place)s, with %(person)s", when=when, place=site_of(found.site), person=person),
        turn=Turn(_("This escort does not take place"), _("Ask whoever sent you this link."), icon="info")
        if found.given_up
        else None,
        lines=lines(found.steps, day, zone),
        notes=tuple((it.words, hour_told(it.at, it.doubt, day, zone), it.at) for it in found.notes),
        expires_at=found.expires_at,
        zone=zone,
        final=found.over,
    )


def _title(found: Followed) -> str:
    words = words_of(found.kind)
    if found.over and not found.given_up:
        return by_language(words.done)
    if any(step.at for step in found.steps) and not found.given_up:
        return by_language(words.under_way)
    return opening(by_language(words.service))
