"""Whether the doctor may see earlier reports in this consultation: the customer chooses, and may change her mind."""

from __future__ import annotations

from flask import Response, flash, url_for
from flask_babel import gettext as _

from booking.consultation.at_desk.agreed import NotHersToAgree, choose_reports
from marketplace import wording
from marketplace.core.database.moment import now_by_database
from marketplace.web.answers import Views, field, see_other
from marketplace.web.session import principal


def consultation_reports(conversation: str) -> Response:
    """Let the doctor see them from now on, or no more."""
    show = field("show", 5) == "yes"
    try:
        choose_reports(principal(), conversation, show=show, now=now_by_database())
    except NotHersToAgree as refusal:
        flash(wording.sentence(refusal), "bad")
    else:
        own = _("The doctor sees earlier reports of her own institution alone.")
        flash(_("The doctor may see earlier reports.") if show else own, "ok")
    return see_other(url_for("web.consultation", conversation=conversation))


VIEWS: Views = {"consultation_reports": consultation_reports}
