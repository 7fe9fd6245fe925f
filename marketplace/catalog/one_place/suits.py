"""What a kind of place can't do: a dental hospital has no health check. Each benefit kind says so of itself.

An operator may allow a place what its kind can't do (SiteAllowance); that holds for the place, wherever it was said.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.catalog.benefit_kind import NotAt
from marketplace.catalog.kinds import kind, kinds
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.models import SiteAllowance
from marketplace.core.errors import Invalid
from marketplace.core.ids import new_id
from marketplace.core.text import Text


def unsuited_by(benefit: str, kind_of_place: str, name: str) -> Text | None:
    """Why a place of this kind and name can't give a benefit; None where it can, as where nothing is said of it."""
    known = kinds().get(benefit)
    rules: tuple[NotAt, ...] = () if known is None else known.not_at
    return next((rule.reason for rule in rules if kind_of_place in rule.kinds or name.endswith(rule.endings)), None)


def suits(benefit: str, site: str) -> str:
    """Whether a place may give a benefit, as SQL: `benefit` an expression of the kind's code, `site` the alias of the
    place."""
    return _suits(benefit, site, tuple((code, each.not_at) for code, each in kinds().items()))


@lru_cache(64)
def _suits(benefit: str, site: str, unsuited: tuple[tuple[str, tuple[NotAt, ...]], ...]) -> str:
    """`suits`, put together once for the same rules: every search for offers asks it twice."""
    rules = [f"({benefit} = '{code}' AND {_said(rule, site)})" for code, not_at in unsuited for rule in not_at]
    if not rules:
        return "true"
    return (
        f"(NOT ({' OR '.join(rules)}) OR EXISTS (SELECT FROM site_allowance allowed JOIN site allowed_at"
        f" ON allowed_at.id = allowed.site_id WHERE allowed_at.place_id = {site}.place_id"
        f" AND allowed.kind = {benefit} AND allowed.ended_at IS NULL))"
    )


def _said(rule: NotAt, site: str) -> str:
    told = []
    if rule.kinds:
        told.append(f"{site}.kind IN ({', '.join(map(_quoted, rule.kinds))})")
    told += [f"right({site}.name, {len(ending)}) = {_quoted(ending)}" for ending in rule.endings]
    return f"({' OR '.join(told)})"


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def check_suited(session: Session, benefit: str, site_id: int) -> None:
    """Raises Invalid(field="pool") if the place of a site (its internal id) can't give a benefit and wasn't allowed to;
    `facts["why"]` is the sentence of its kind, in both languages."""
    row = session.execute(
        text(
            f"SELECT s.kind, s.name, {suits('CAST(:benefit AS text)', 's')} AS suits"
            " FROM site own JOIN site s ON s.id = own.place_id WHERE own.id = :site"
        ),
        {"benefit": benefit, "site": site_id},
    ).one()
    reason = None if row.suits else unsuited_by(benefit, row.kind, row.name)
    if reason is not None:
        raise Invalid(field="pool", reason="not_at_this_place", why=reason)


def allow(session: Session, place_id: int, benefit: str, *, by: str, now: datetime) -> bool:
    """Let a place (its internal id) give a benefit whatever its kind; `by` an operator's public id. Returns whether
    that is new. Raises NotFound(field="benefit")."""
    made = (
        insert(SiteAllowance)
        .values(public_id=new_id("alw"), site_id=place_id, kind=kind(benefit).code, allowed_at=now, allowed_by=by)
        .on_conflict_do_nothing()
        .returning(SiteAllowance.id)
    )
    return session.scalar(made) is not None


def end_allowance(session: Session, place_id: int, benefit: str, *, by: str, now: datetime) -> bool:
    """Take that back, wherever of the place it was said. Returns whether there was one."""
    ended = (
        update(SiteAllowance)
        .where(
            SiteAllowance.site_id.in_(select(Site.id).where(Site.place_id == place_id)),
            SiteAllowance.kind == benefit,
            SiteAllowance.ended_at.is_(None),
        )
        .values(ended_at=now, ended_by=by)
        .returning(SiteAllowance.id)
    )
    return bool(session.scalars(ended).all())
