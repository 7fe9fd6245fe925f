"""Snapshots of policies in words, for operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.web import policy_words
from marketplace.web.formats import moment, number
from marketplace.web.language import by_language
from marketplace.web.parts import Fact, Link, Pill
from vip.insurers.at_desk import SnapshotInFull, VanishedRow
from vip.insurers.snapshots import Snapshot


@dataclass(frozen=True)
class SnapshotRow:
    """A snapshot in the list. `share`: what vanished of what was in force, blank while that is not known."""

    url: str
    id: str
    pill: Pill
    share: str
    ended: int
    opened_at: datetime


@dataclass(frozen=True)
class VanishedLine:
    """A policy that vanished. `number` and `holder` are masked, blank once the holder was erased."""

    url: str
    name: str
    number: str
    holder: str
    pill: Pill
    until: date | None
    fate: Pill
    before: str


@dataclass(frozen=True)
class SnapshotPage:
    """One snapshot. `question` stands over the forms, blank where nothing waits; `takes_back`: an end can be taken
    back. `first`: the page shows the first of the vanished."""

    id: str
    pill: Pill
    facts: tuple[Fact, ...]
    question: str
    would_end: int
    takes_back: bool
    url: str
    rows: tuple[VanishedLine, ...]
    completed: bool
    first: bool
    more_url: str


def row(it: Snapshot) -> SnapshotRow:
    """A line of the list."""
    return SnapshotRow(
        url_for("console.snapshot", snapshot=it.id), it.id, _pill(it), _share(it), it.ended, it.opened_at
    )


def page(found: SnapshotInFull, *, first: bool) -> SnapshotPage:
    """One with a page of what vanished."""
    it = found.snapshot
    url = url_for("console.snapshot", snapshot=it.id)
    waits = it.state == "waiting"
    return SnapshotPage(
        id=it.id,
        pill=_pill(it),
        facts=_facts(found),
        question=_question(found) if waits else "",
        would_end=found.would_end,
        takes_back=it.ended > 0,
        url=url,
        rows=tuple(map(_vanished, found.vanished.items)),
        completed=it.completed_at is not None,
        first=first,
        more_url=url_for("console.snapshot", snapshot=it.id, after=found.vanished.next) if found.vanished.next else "",
    )


def filters(*, every: bool) -> tuple[Link, ...]:
    """The lists there are."""
    return (
        Link(_("To decide"), list_url(every=False), not every),
        Link(_("All"), list_url(every=True), every),
    )


def list_url(*, every: bool, after: str | None = None) -> str:
    """The list's address, from a cursor on."""
    return url_for("console.snapshots", state="all" if every else None, after=after)


def said(act: str, decided: Snapshot) -> str:
    """What was done, for who did it."""
    if act == "end":
        return ngettext("%(num)d policy was ended.", "%(num)d policies were ended.", decided.ended)
    if act == "leave":
        return _("Nothing was ended. The policies are as they were.")
    return _("Taken back. The policies are again what they were before.")


def _question(found: SnapshotInFull) -> str:
    it = found.snapshot
    return _(
        "%(share)s vanished, more than the %(most)d %% up to which the insurer lets us end them. Ask the insurer "
        "before you decide: a file may have been cut off.",
        share=_share(it),
        most=it.most_percent,
    )


def _facts(found: SnapshotInFull) -> tuple[Fact, ...]:
    it = found.snapshot
    ends = _("Reports them only")
    if it.ends_vanished:
        ends = _("Ends them, up to %(most)d %% of those in force", most=it.most_percent)
    facts = [
        Fact(_("Opened"), moment(it.opened_at)),
        Fact(_("Completed"), moment(it.completed_at) if it.completed_at else _("not yet")),
        Fact(_("If policies vanish"), ends),
        Fact(_("Policies named"), number(it.named)),
        Fact(_("Lines refused"), number(it.refused)),
    ]
    if it.completed_at:
        facts += [
            Fact(_("Policies in force"), number(it.known)),
            Fact(_("Vanished"), number(it.vanished)),
            Fact(_("Ended for it"), number(it.ended)),
        ]
    if found.decided_by:
        by = _("on the machine, by command") if found.decided_by == "command" else found.decided_by
        facts.append(Fact(_("Decided by"), by))
    return tuple(facts)


def _share(it: Snapshot) -> str:
    if it.completed_at is None:
        return ""
    return _("%(vanished)s of %(known)s policies", vanished=number(it.vanished), known=number(it.known))


def _pill(it: Snapshot) -> Pill:
    words = {
        "open": (_("Takes lines"), "info", "clock"),
        "waiting": (_("To decide"), "wait", "hourglass"),
        "completed": (_("Completed"), "ok", "check"),
        "dismissed": (_("Left as they were"), "off", "x"),
        "expired": (_("Expired"), "off", "x"),
    }
    return Pill(*words[it.state])


def _vanished(it: VanishedRow) -> VanishedLine:
    fates = {
        "would_end": (_("An end would end it"), "wait", "hourglass"),
        "left": (_("Stays as it is"), "off", "x"),
        "ended": (_("Ended for this"), "bad", "circle-alert"),
        "told": (_("Told again since"), "ok", "check"),
    }
    before = ""
    if it.status_before:
        before = _("before: %(standing)s", standing=policy_words.standing_word(it.status_before))
    return VanishedLine(
        url=url_for("console.policy", policy=it.policy_id),
        name=by_language(it.product_name),
        number=it.number_masked,
        holder=it.holder,
        pill=policy_words.standing_pill(it.standing),
        until=it.in_force_until,
        fate=Pill(*fates[it.fate]),
        before=before,
    )
