"""What was promised of consultations and what was kept, of the operator's insurer and of all its providers or one."""

from __future__ import annotations

from booking.consultation.figures import scope
from booking.consultation.figures.scope import Whose
from marketplace.web.answers import Views
from marketplace.web.console import session
from marketplace.web.console.answers import framed
from marketplace.web.consultation_figures.views import FigureViews


def _whose(provider: str) -> Whose:
    return scope.of_operator(session.operator(), provider)


VIEWS: Views = FigureViews(session.DOOR, _whose, framed, linked=True).views
