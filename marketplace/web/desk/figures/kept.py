"""What was promised of consultations and what was kept, of the member's own provider."""

from __future__ import annotations

from booking.consultation.figures import scope
from booking.consultation.figures.scope import Whose
from marketplace.web.answers import Views
from marketplace.web.consultation_figures.views import FigureViews
from marketplace.web.desk import session
from marketplace.web.desk.answers import framed


def _whose(_provider: str) -> Whose:
    return scope.of_member(session.member())


VIEWS: Views = FigureViews(session.DOOR, _whose, framed, linked=False).views
