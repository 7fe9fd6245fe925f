"""What the kinds of deeds are called, and what is said of one."""

from __future__ import annotations

from flask_babel import gettext as _

from booking.escort.deeds import Deed
from booking.escort.evidence.kinds import Kind
from booking.escort.evidence.names import NAMES
from marketplace.web.language import by_language


def deed_name(kind: Kind) -> str:
    """The name of a kind of deed, as one that is done."""
    return by_language(NAMES[kind])


def presence(deed: Deed) -> str:
    """What proves that she was there, blank for what proves nothing."""
    if deed.by_code:
        return _("Proved by the code")
    if deed.position is None:
        return ""
    if deed.position == "within":
        return _("Near the place, to within %(metres)s m", metres=deed.accuracy_m)
    if deed.position == "away":
        return _("Not near the place, to within %(metres)s m", metres=deed.accuracy_m)
    return _("The position can't be checked here")


def doubtful(deed: Deed) -> str:
    """Why its time can't be quite true, blank where it can."""
    if deed.doubt is None:
        return ""
    return {
        "ahead": _("The phone's clock is ahead: check its time."),
        "before": _("The phone's clock says a time before you accepted."),
        "after": _("The phone's clock says a time after this escort was taken from you."),
    }[deed.doubt]
