"""The figures and their rows as tables for a spreadsheet, with headings in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from flask_babel import gettext as _

from booking.consultation.figures.rows import CountedRow
from booking.consultation.pledge_figures import By, PledgeFigures
from marketplace.core.spreadsheet import Cell, spreadsheet
from marketplace.web import formats
from marketplace.web.consultation_figures import rows_page
from marketplace.web.consultation_figures.looking import Looking
from marketplace.web.consultation_figures.rows_page import Of
from marketplace.web.department_names import department_name
from marketplace.web.language import by_language


def figures(it: Looking, kept: Mapping[By, Sequence[PledgeFigures]]) -> str:
    """A row for each group. Times are seconds; shares are between 0 and 1."""
    header = (
        _("Grouped by"), _("Group"), _("Asked"), _("Answered in time"), _("Promise broken"), _("Never answered"),
        _("Ended by the customer before an answer"), _("Still running"), _("Share in time"), _("Half within (s)"),
        _("9 in 10 within (s)"), _("99 in 100 within (s)"),
    )  # fmt: skip
    names: Mapping[By, str] = {
        "all": _("All"),
        "day": _("Day"),
        "hour": _("Hour"),
        "shift": _("Shift"),
        "department": _("Department"),
        "provider": _("Provider"),
    }
    lines = []
    for by, groups in kept.items():
        for each in groups:
            counts = (each.met, each.breached, each.unanswered, each.cancelled, each.open)
            kept_share = None if each.kept is None else round(each.kept, 4)
            times = tuple(seconds(time) for time in (each.p50, each.p90, each.p99))
            asked = each.ended + each.cancelled + each.open
            lines.append((names[by], it.named(by, each.name), asked, *counts, kept_share, *times))
    return spreadsheet(header, lines)


def rows(it: Looking, of: Of, found: Sequence[CountedRow]) -> str:
    """A row for each counted one."""
    fixed = (_("Booking number"), _("Provider"), _("Department"), _("Moment"))
    more = {
        "answers": (_("Seconds until the answer"), _("State")),
        "waiting": (_("Seconds waited"), _("State")),
        "ratings": (_("Seconds until the answer"), _("Stars")),
        "handovers": (_("Given away by"), _("Taken by")),
    }[of]
    return spreadsheet((*fixed, *more), (_row(it, of, each) for each in found))


def _row(it: Looking, of: Of, each: CountedRow) -> tuple[Cell, ...]:
    fixed = (
        each.reference,
        by_language(each.provider),
        department_name(each.department, it.departments),
        formats.local(each.at).isoformat(timespec="seconds"),
    )
    if of == "handovers":
        return *fixed, each.giver, each.taker or _("the queue")
    if of == "ratings":
        return *fixed, seconds(each.seconds), each.stars
    return *fixed, seconds(each.seconds), rows_page.state(each).text


def seconds(time: float | None) -> Cell:
    """Seconds to a thousandth; in words where nobody answered, blank where there is nothing to say."""
    if time == inf:
        return _("not answered")
    return None if time is None else round(time, 3)
