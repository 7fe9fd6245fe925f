"""Reports at the desk in words: what is owed, what was delivered, and how typed results are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import url_for
from flask_babel import gettext as _

from booking.answering.day import OwedReport
from booking.answering.shown import Comer, WithPerson
from booking.reports.deliver import ReportFileRefused, StoredReport
from booking.reports.reading.read import Reading
from booking.reports.reading.vocabulary import vocabulary
from marketplace import wording
from marketplace.catalog.benefit_kind import age_on
from marketplace.core.errors import Refusal
from marketplace.web import formats
from marketplace.web.language import by_language
from marketplace.web.parts import Fact, Pill, When


@dataclass(frozen=True)
class OwedRow:
    """A report that is owed."""

    reference: str
    person: str
    offer: str
    when: When
    due: str
    pill: Pill | None
    url: str


@dataclass(frozen=True)
class VersionRow:
    """A version that is stored."""

    number: int
    status: str
    received_at: datetime
    results: int
    pill: Pill


@dataclass(frozen=True)
class ReportRow:
    """A report that was delivered, its newest version first."""

    reference: str
    name: str
    versions: tuple[VersionRow, ...]
    deleted: bool


@dataclass(frozen=True)
class DeliveryPage:
    """The booking whose report is delivered. `who` tells the person apart; empty before somebody `came`, when nothing
    can be delivered. `choices`: a new report, or a new version of one, named with the version that was seen; `only`: of
    one report alone, that one, and `likely` how complete the next version of it is."""

    booking: str
    reference: str
    person: str
    who: tuple[Fact, ...]
    offer: str
    when: When
    zone: str
    came: bool
    only: str
    likely: str
    reports: tuple[ReportRow, ...]
    choices: tuple[tuple[str, str], ...]
    statuses: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ReadRow:
    """How a typed result is read. `item` is blank where we do not know it."""

    name: str
    value: str
    unit: str
    limits: str
    mark: str
    item: str
    pill: Pill


def owed(it: OwedReport) -> OwedRow:
    """A line of the list."""
    late = Pill(_("Overdue"), "bad", icon="triangle-alert") if it.overdue else None
    partly = Pill(_("Partly delivered"), "wait", icon="hourglass") if it.partial else None
    return OwedRow(
        it.reference,
        it.person,
        by_language(it.offer),
        When(it.service_date, it.time_zone),
        _("by %(date)s", date=formats.date_of(it.due_at - timedelta(seconds=1), it.time_zone)),
        late or partly,
        url_for("desk.report_new", booking=it.booking),
    )


def page(found: WithPerson, offer: str, stored: Sequence[StoredReport]) -> DeliveryPage:
    """The page of one booking's reports."""
    it = found.booking
    rows = tuple(_report(each, number) for number, each in enumerate(stored, 1))
    again = tuple(
        (f"{each.reference}@{each.newest}", _("A new version of %(report)s", report=row.name))
        for each, row in zip(stored, rows, strict=True)
        if not row.deleted
    )
    return DeliveryPage(
        it.id,
        it.reference,
        it.person_name,
        who_came(found.person, it.service_date),
        offer,
        When(it.service_date, it.time_zone, it.starts_at, it.ends_at),
        it.time_zone,
        found.person is not None,
        again[0][0] if len(again) == 1 else "",
        "corrected" if len(again) == 1 and _is_whole(stored) else "final",
        rows,
        (("", _("A new report")), *again),
        tuple((code, _status(code)) for code in ("final", "partial", "corrected")),
    )


def _is_whole(stored: Sequence[StoredReport]) -> bool:
    """Whether nothing is missing of the report that is not deleted: what follows it is a correction."""
    standing = [each.versions[0].status for each in stored if each.state != "deleted" and each.versions]
    return any(status in ("final", "corrected") for status in standing)


def who_came(person: Comer | None, day: date) -> tuple[Fact, ...]:
    """What tells this person from others of her name."""
    if person is None:
        return ()
    sexes = {"female": _("female"), "male": _("male")}
    return (
        Fact(_("Name"), person.name),
        Fact(_("Sex"), sexes.get(person.sex, person.sex)),
        Fact(_("Born"), formats.full_date(person.birth_date)),
        Fact(_("Age on the day"), formats.number(age_on(person.birth_date, day))),
    )


def reading(it: Reading) -> ReadRow:
    """A typed result as our reader takes it."""
    item = vocabulary().items.get(it.item)
    name = "" if item is None else by_language(item.name)
    judged = {
        "normal": Pill(_("Within its range"), "ok", icon="check"),
        "low": Pill(_("Below its range"), "bad", icon="triangle-alert"),
        "high": Pill(_("Above its range"), "bad", icon="triangle-alert"),
        "abnormal": Pill(_("Abnormal"), "bad", icon="circle-alert"),
    }
    pill = judged.get(it.judged, Pill(_("Shown as written, not judged"), "plain", icon="info"))
    return ReadRow(it.name, it.value, it.unit, it.range_text, it.mark, name, pill)


def refused(refusal: Refusal) -> str:
    """Why a report was not taken."""
    if isinstance(refusal, ReportFileRefused):
        return _(
            "The file was refused: it is not what it says it is, is damaged, or may do harm. Nothing was stored. Save "
            "it once more as PDF, and try again."
        )
    return wording.sentence(refusal)


def delivered_before() -> str:
    """What is said to who comes back to a form that was delivered."""
    return _("This form was delivered before. To correct it, choose the report below, and deliver once more.")


def _report(it: StoredReport, number: int) -> ReportRow:
    versions = tuple(
        VersionRow(each.version, _status(each.status), each.received_at, each.results, _state(each.state))
        for each in it.versions
    )
    return ReportRow(it.reference, _("report %(number)s", number=number), versions, it.state == "deleted")


def _status(code: str) -> str:
    return {
        "final": _("Complete"),
        "partial": _("Some results are still to come"),
        "corrected": _("Corrected"),
    }[code]


def _state(state: str) -> Pill:
    return {
        "current": Pill(_("The customer sees this one"), "ok", icon="check"),
        "superseded": Pill(_("Replaced by a newer one"), "off", icon="refresh-cw"),
        "deleted": Pill(_("Deleted by the customer"), "off", icon="x"),
    }[state]
