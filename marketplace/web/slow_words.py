"""That a provider answers slowly today, in words: short for a list, and in full before and after somebody booked."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from marketplace.web import formats
from marketplace.web.kind_words import nouns


@dataclass(frozen=True)
class SlowNote:
    """What is said: `title` in a list, both on a page of its own."""

    title: str
    text: str


def slow_note(it: AnswersSlowly | None, kind: str, zone: str) -> SlowNote | None:
    """The words for a provider of this kind of benefit, times in `zone`; None where there is nothing to say."""
    if it is None:
        return None
    since, said = formats.deadline(it.since, zone), nouns(kind)
    text = {
        SlowReason.PAUSED: _(
            "We have passed nothing on to %(place)s since %(time)s. A request waits here, keeps its place, and goes "
            "out as soon as that is over.",
            time=since,
            **said,
        ),
        SlowReason.NOT_REACHED: _(
            "The system of %(place)s has not answered since %(time)s. A request waits here, keeps its place, and goes "
            "out as soon as it does.",
            time=since,
            **said,
        ),
        SlowReason.NOT_TAKEN: _(
            "Requests to %(place)s have waited since %(time)s. Yours keeps its place, and goes out by itself.",
            time=since,
            **said,
        ),
        SlowReason.SLOWER: _(
            "%(Place)s takes much longer to answer today than it usually does. A request keeps its place meanwhile.",
            **said,
        ),
    }[it.reason]
    return SlowNote(_("Answers slowly today"), text)
