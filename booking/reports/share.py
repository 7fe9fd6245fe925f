"""Sharing one report with a person who has no account, by a link that expires. The audit records each view.

Only the link holds the token; a hash of it is stored. A link that is unknown, expired, revoked or used up gets the same
answer. A link with an access code opens nothing without it. Wrong codes hold up who types them, not the link:
whoever else has it can't keep a doctor out.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from booking.notices.notify import notify
from booking.reports.box import Document, ReportView, find_report, own_report, paper_of, view_of
from booking.reports.models import Report, ReportShare
from booking.reports.output.export import pdf_of
from marketplace.core import audit, crypto, ids
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from vip.models import Customer
from vip.principal import Principal
from vip.signin import codes, limits, turns
from vip.signin.limits import NOBODY, Caller, Limit

DAYS = (1, 7, 30)
AUDIENCES = ("family", "doctor")
MOST_VIEWS = 100
MOST_LINKS = 10
"""How many links of one report can be in force at the same time."""
SHOWN_LINKS = 50
SHOWN_LOOKS = 200
"""How many of the newest links and views a customer is shown; the audit has all of them."""
TRIES_AT_LINK = Limit(5, 2)
"""Access codes one tries at one link. A link lives for up to 30 days, so tries come back slower than at sign-in."""
TRIES_BY_CALLER = Limit(60, 60)
LONGEST_TOKEN = 64
SHARE = "share"
"""The kind of actor in the audit; the actor's id is the link's public id."""


class TooManyLinks(Refusal):
    """A report has at most ten links at a time. Facts: `most`."""

    code = "too_many_links"


class WrongAccessCode(Refusal):
    """The access code is wrong. Facts: `tries_left`, how many more codes can be tried."""

    code = "wrong_access_code"
    status = 422
    field = "code"


@dataclass(frozen=True)
class NewShare:
    """A link to be made: its audience, its days (one of DAYS), and how often it can be opened (None: without limit)."""

    audience: str
    days: int
    with_code: bool = False
    max_views: int | None = None


@dataclass(frozen=True)
class Look:
    """One use of a link. `what`: viewed, downloaded or wrong_code."""

    at: datetime
    what: str


@dataclass(frozen=True)
class Share:
    """A link as its customer sees it. `state`: open, expired, revoked or used_up."""

    id: str
    audience: str
    created_at: datetime
    expires_at: datetime
    with_code: bool
    max_views: int | None
    views: int
    state: str
    looks: Sequence[Look] = ()


@dataclass(frozen=True)
class MadeShare:
    """A new link. `token` and `access_code` (None without one) are shown this once."""

    share: Share
    token: str
    access_code: str | None


@dataclass(frozen=True)
class ShareLink:
    """What a link shows before it is opened. `needs_code`: whether an access code is asked for."""

    id: str
    needs_code: bool
    expires_at: datetime


def share_report(principal: Principal, public_id: str, new: NewShare, *, now: datetime) -> MadeShare:
    """Make a link to a report. Audited, and the customer is notified.

    Raises NotFound, ConsentMissing, TooManyLinks, Invalid(field audience, days or max_views).
    """
    _check(new)
    token = ids.new_token()
    access_code = f"{secrets.randbelow(10**codes.DIGITS):0{codes.DIGITS}d}" if new.with_code else None
    with transaction() as session:
        row = own_report(session, principal, public_id, now)
        report: Report = session.scalars(select(Report).where(Report.id == row.Report.id).with_for_update()).one()
        live = select(func.count()).where(ReportShare.report_id == report.id, _live(now))
        if session.scalars(live).one() >= MOST_LINKS:
            raise TooManyLinks(most=MOST_LINKS)
        share = ReportShare(
            public_id=ids.new_id("shr"),
            report_id=report.id,
            customer_id=report.customer_id,
            token_hash=crypto.token_hash(token),
            audience=new.audience,
            max_views=new.max_views,
            views=0,
            created_at=now,
            expires_at=now + timedelta(days=new.days),
        )
        share.code_hash = None if access_code is None else _hashes(share.public_id, access_code)[0]
        session.add(share)
        _audit(session, "report.shared", principal, report, now, share=share.public_id, days=new.days)
        notify(
            session,
            report.customer_id,
            "report_shared",
            share.public_id,
            now=now,
            booking_id=report.booking_id,
            facts={"report": report.public_id, "audience": new.audience, "expires_at": share.expires_at.isoformat()},
        )
    return MadeShare(_view(share, (), now), token, access_code)


def shares(principal: Principal, public_id: str, *, now: datetime) -> list[Share]:
    """The newest links of a report, the last made first, with the latest uses of each. All that are in force are among
    them. Raises NotFound, ConsentMissing."""
    with reading() as session:
        report: Report = own_report(session, principal, public_id, now).Report
        found = session.scalars(
            select(ReportShare)
            .where(ReportShare.report_id == report.id)
            .order_by(_live(now).desc(), ReportShare.id.desc())
            .limit(SHOWN_LINKS)
        ).all()
        lines = session.execute(
            select(AuditLine.actor, AuditLine.at, AuditLine.action)
            .where(AuditLine.subject == report.public_id, AuditLine.actor_kind == SHARE)
            .order_by(AuditLine.id.desc())
            .limit(SHOWN_LOOKS)
        ).all()
    looks: dict[str, list[Look]] = {}
    for look in lines:
        looks.setdefault(look.actor, []).append(Look(look.at, look.action.rpartition(".")[2]))
    newest = sorted(found, key=lambda share: share.id, reverse=True)
    return [_view(share, looks.get(share.public_id, ()), now) for share in newest]


def end_share(principal: Principal, public_id: str, share_id: str, *, now: datetime) -> None:
    """Revoke a link. Audited. Revoking again changes nothing. Raises NotFound, ConsentMissing."""
    with transaction() as session:
        report: Report = own_report(session, principal, public_id, now).Report
        share = session.scalars(
            select(ReportShare)
            .where(ReportShare.report_id == report.id, ReportShare.public_id == share_id)
            .with_for_update()
        ).one_or_none()
        if share is None:
            raise NotFound(field="share_id")
        if share.revoked_at is None:
            share.revoked_at = now
            _audit(session, "report.share_ended", principal, report, now, share=share.public_id)


def end_all_shares(principal: Principal, *, now: datetime) -> int:
    """Revoke every link of the customer's that is in force; returns how many. Audited, each at its report."""
    with transaction() as session:
        ended = session.execute(
            update(ReportShare)
            .where(ReportShare.customer_id == principal.id, _in_force(now), Report.id == ReportShare.report_id)
            .values(revoked_at=now)
            .returning(ReportShare.public_id, Report)
        ).all()
        for share_id, report in ended:
            _audit(session, "report.share_ended", principal, report, now, share=share_id)
    return len(ended)


# --- with the link ---------------------------------------------------------------------------------------------------


def find_link(token: str, *, now: datetime, opened: str = "") -> ShareLink:
    """The link with this token, without opening it. Raises NotFound if it cannot be opened.

    `opened` is the id of the link that this browser has opened (blank: none): that one can be read on although its
    views are used up.
    """
    with reading() as session:
        share, _row = _find(session, token, now, opened)
    return ShareLink(share.public_id, share.code_hash is not None, share.expires_at)


def open_share(token: str, code: str, *, now: datetime, caller: Caller = NOBODY) -> ShareLink:
    """Open a link: count one view. A try of the access code is counted and committed before the code is compared.

    Raises NotFound, Invalid(field="code"), WrongAccessCode(tries_left), TooMany(retry_after) for a caller who tried too
    often (nobody else's tries count) and, without a turn, Crowded(retry_after).
    """
    with reading() as session:
        share, row = _find(session, token, now, "")
    if share.code_hash is not None:
        digits = codes.clean(code)
        with turns.trying.holders.turn(caller.name):
            _try_code(share, row.Report, digits, now, caller)
    with transaction() as session:
        counted = session.scalar(
            update(ReportShare)
            .where(ReportShare.id == share.id, _in_force(now), _unused())
            .values(views=ReportShare.views + 1)
            .returning(ReportShare.id)
        )
    if counted is None:
        raise NotFound()
    return ShareLink(share.public_id, share.code_hash is not None, share.expires_at)


def read_share(token: str, *, now: datetime, opened: str) -> ReportView:
    """The report, for a browser that has opened the link. The audit records it. Raises NotFound."""
    with transaction() as session:
        share, row = _opened(session, token, now, opened)
        _record(session, share, row.Report, "report.viewed", now)
        return view_of(session, row)


def read_paper(token: str, position: int | None, *, now: datetime, opened: str) -> Document:
    """A paper of the report, or with `position` None the report as a PDF. The audit records it. Raises NotFound."""
    with transaction() as session:
        share, row = _opened(session, token, now, opened)
        paper = pdf_of(session, row) if position is None else paper_of(session, row, position)
        _record(session, share, row.Report, "report.downloaded", now)
        return paper


def _opened(session: Session, token: str, now: datetime, opened: str) -> tuple[ReportShare, Row[Any]]:
    share, row = _find(session, token, now, opened)
    if share.public_id != opened:
        raise NotFound()
    return share, row


def _find(session: Session, token: str, now: datetime, opened: str) -> tuple[ReportShare, Row[Any]]:
    """The link and its report, both in force now, of a customer who isn't blocked. Raises NotFound."""
    share = None
    if 0 < len(token) <= LONGEST_TOKEN:
        share = session.scalars(
            select(ReportShare).where(
                ReportShare.token_hash == crypto.token_hash(token),
                exists().where(Customer.id == ReportShare.customer_id, Customer.blocked_at.is_(None)),
                or_(_live(now), and_(_in_force(now), ReportShare.public_id == opened)),
            )
        ).one_or_none()
    row = find_report(session, Report.id == share.report_id, now) if share is not None else None
    if share is None or row is None or not row.may_show:
        raise NotFound()
    return share, row


def _try_code(share: ReportShare, report: Report, digits: str, now: datetime, caller: Caller) -> None:
    at_link = ("try", "share", share.public_id, caller.name)
    with transaction() as session:
        left = limits.take(session, TRIES_AT_LINK, *at_link, now=now)
        limits.take(session, TRIES_BY_CALLER, "try", "share", caller.name, now=now)
    known = share.code_hash or b""
    if not any([hmac.compare_digest(known, one) for one in _hashes(share.public_id, digits)]):
        with transaction() as session:
            _record(session, share, report, "report.wrong_code", now)
        codes.notice_wrong("access_code", now)
        raise WrongAccessCode(tries_left=left)
    with transaction() as session:
        limits.fill(session, *at_link)


def _in_force(now: datetime) -> ColumnElement[bool]:
    return and_(ReportShare.revoked_at.is_(None), ReportShare.expires_at > now)


def _live(now: datetime) -> ColumnElement[bool]:
    """The condition that a link can still be opened: in force, views left."""
    return and_(_in_force(now), _unused())


def _unused() -> ColumnElement[bool]:
    return or_(ReportShare.max_views.is_(None), ReportShare.views < ReportShare.max_views)


def _state(share: ReportShare, now: datetime) -> str:
    if share.revoked_at is not None:
        return "revoked"
    if share.expires_at <= now:
        return "expired"
    return "used_up" if share.max_views is not None and share.views >= share.max_views else "open"


def _view(share: ReportShare, looks: Sequence[Look], now: datetime) -> Share:
    return Share(
        id=share.public_id,
        audience=share.audience,
        created_at=share.created_at,
        expires_at=share.expires_at,
        with_code=share.code_hash is not None,
        max_views=share.max_views,
        views=share.views,
        state=_state(share, now),
        looks=looks,
    )


def _check(new: NewShare) -> None:
    if new.audience not in AUDIENCES:
        raise Invalid(field="audience", reason="not_offered")
    if new.days not in DAYS:
        raise Invalid(field="days", reason="not_offered")
    if new.max_views is not None and not 1 <= new.max_views <= MOST_VIEWS:
        raise Invalid(field="max_views", reason="out_of_range", minimum=1, maximum=MOST_VIEWS)


def _hashes(share_id: str, code: str) -> tuple[bytes, ...]:
    """What is stored of a link's code, under each live key, the current one's first."""
    return crypto.blind_indexes(f"{share_id}:{code}", "share_code")


def _audit(
    session: Session, action: str, principal: Principal, report: Report, now: datetime, **facts: str | int
) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.kind,
        actor=principal.public_id,
        subject=report.public_id,
        insurer_id=report.insurer_id,
        **facts,
    )


def _record(session: Session, share: ReportShare, report: Report, action: str, now: datetime) -> None:
    audit.record(
        session, action, at=now, actor_kind=SHARE, actor=share.public_id, subject=report.public_id,
        insurer_id=report.insurer_id,
    )  # fmt: skip
