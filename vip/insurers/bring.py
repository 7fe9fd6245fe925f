"""A customer whom her insurer's app has signed in opens a session here without a code: by a token, or by a link.

Whom an insurer may bring: the holder of one of its policies, named by the policy's key. Another insurer's customer, one
who is blocked or erased, and a key that there is not have the same answer. Each session is audited with the program
that brought her, and is none of the last minutes (vip.risky).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from marketplace.catalog.models import Insurer
from marketplace.clients import tokens
from marketplace.clients.credentials import fingerprint
from marketplace.clients.models import ApiClient, ApiSecret
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.database.retention import forget
from marketplace.core.errors import NotFound, Refusal, Unauthenticated
from marketplace.core.ids import new_id
from marketplace.core.strictjson import storable
from marketplace.core.text import Text
from vip.insurers import assertions
from vip.insurers.models import SignInLink
from vip.models import Customer
from vip.policies.models import Policy
from vip.signin import limits, signin
from vip.signin.limits import Limit
from vip.signin.signin import SignedIn

LINK_LIFETIME = timedelta(seconds=60)
EACH_CUSTOMER = Limit(capacity=10, per_hour=60)
"""How often one customer is brought, by tokens and links together."""
KEPT = timedelta(days=1)
_PURPOSE = "sign-in link"


class LinkOver(Refusal):
    """The link opens nothing: used, over, or never given out. One answer for all."""

    code = "link_over"
    status = 404


@dataclass(frozen=True)
class Bringer:
    """The program that brings her: its internal and public id, its insurer's internal one, and the secret (internal
    id) by which it came in."""

    id: int
    client: str
    insurer_id: int
    secret_id: int


@dataclass(frozen=True)
class NewLink:
    """A link. `token` is shown this once; only its hash is stored."""

    id: str
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class GoodLink:
    """A link that would open: from which insurer, until when, and whether it is for the customer (internal id) who is
    signed in in this browser, or nobody is."""

    insurer: Text
    expires_at: datetime
    same_customer: bool


@dataclass(frozen=True)
class Opened:
    """A session that a link opened, and the path it leads to."""

    signed_in: SignedIn
    path: str


def exchange(program: Bringer, token: str, *, audience: str, now: datetime) -> SignedIn:
    """A session for the JSON API, for a token that the insurer's app signed. Audited.

    Raises BadAssertion, NotFound(field="sub") for nobody whom this insurer may bring, TooMany(retry_after), and
    Unauthenticated where the program or its secret has ended meanwhile."""
    with reading() as session:
        said = assertions.read(session, program.insurer_id, token, audience=audience, now=now)
    _count(lambda session: _whom(session, program.insurer_id, said.subject, "sub"), now)
    with transaction() as session:
        _require_live(session, program)
        assertions.take(session, program.insurer_id, said)
        customer = _whom(session, program.insurer_id, said.subject, "sub")
        signed_in = signin.open_session(session, customer, "api", now, brought_by=program.id)
        _audit(session, "customer.brought", customer, program.client, now, by="token")
    return signed_in


def make_link(program: Bringer, policy: str, path: str, *, now: datetime) -> NewLink:
    """A link that opens the pages for the holder of the policy with this key, once, within LINK_LIFETIME; it leads to
    `path`. Audited. Raises NotFound(field="policy"), TooMany(retry_after), and Unauthenticated where the program or its
    secret has ended meanwhile."""
    _count(lambda session: _whom(session, program.insurer_id, policy, "policy"), now)
    made = NewLink(new_id("sil"), tokens.new_token(_PURPOSE).replace(".", ""), now + LINK_LIFETIME)
    with transaction() as session:
        _require_live(session, program)
        customer = _whom(session, program.insurer_id, policy, "policy")
        session.add(
            SignInLink(
                public_id=made.id,
                token_hash=fingerprint(made.token),
                insurer_id=program.insurer_id,
                client_id=program.id,
                customer_id=customer.id,
                path=path,
                created_at=now,
                expires_at=made.expires_at,
            )
        )
        _audit(session, "customer.link_made", customer, program.client, now, link=made.id)
    return made


def find_link(token: str, *, visitor: int | None, now: datetime) -> GoodLink:
    """The link, which it does not use up. `visitor`: who is signed in in this browser. Raises LinkOver."""
    _require_marked(token)
    with reading() as session:
        found = session.execute(
            select(SignInLink, Insurer)
            .join(Insurer, Insurer.id == SignInLink.insurer_id)
            .where(SignInLink.token_hash == fingerprint(token), *_good(now))
        ).one_or_none()
    if found is None:
        raise LinkOver()
    link, insurer = found
    names = Text(insurer.name_zh, insurer.name_en)
    return GoodLink(names, link.expires_at, visitor in (None, link.customer_id))


def open_link(token: str, *, previous_token: str | None, now: datetime) -> Opened:
    """Use the link up and open the session. The one that the browser had before (`previous_token`) ends. Audited.
    Raises LinkOver."""
    _require_marked(token)
    this = SignInLink.token_hash == fingerprint(token), *_good(now)
    with transaction() as session:
        found = session.execute(select(SignInLink.client_id, SignInLink.customer_id).where(*this)).one_or_none()
        if found is None:
            raise LinkOver()
        # the program before its link, as whoever ends the program does
        client = session.scalar(_live_client(found.client_id))
        customer = session.scalar(_open_account(Customer.id == found.customer_id))
        link = session.scalar(update(SignInLink).where(*this).values(used_at=now).returning(SignInLink))
        if client is None or customer is None or link is None:
            raise LinkOver()
        signin.end_previous(session, previous_token, now)
        signed_in = signin.open_session(session, customer, "web", now, brought_by=client.id)
        _audit(session, "customer.brought", customer, client.public_id, now, by="link", link=link.public_id)
        path = link.path
    return Opened(signed_in, path)


def forget_links(*, now: datetime, batch: int = 1000) -> int:
    """Forget links that have been over for a day; returns how many."""
    return forget(SignInLink.id, SignInLink.expires_at, now - KEPT, batch)


def _require_marked(token: str) -> None:
    """Raises LinkOver for what we never made, before the database is asked. In an address the mark has no point before
    it."""
    secret, mark = token[: -tokens.MARK_LENGTH], token[-tokens.MARK_LENGTH :]
    if not tokens.is_marked(f"{secret}.{mark}", _PURPOSE):
        raise LinkOver()


def _good(now: datetime) -> tuple[Any, ...]:
    return SignInLink.used_at.is_(None), SignInLink.expires_at > now


def _whom(session: Session, insurer_id: int, policy_key: str, field: str) -> Customer:
    """The customer, whom nobody blocks while the transaction lasts. Raises NotFound."""
    found = None
    if storable(policy_key):
        holder = select(Policy.customer_id).where(Policy.insurer_id == insurer_id, Policy.key == policy_key)
        found = session.scalar(_open_account(Customer.id == holder.scalar_subquery()))
    if found is None:
        raise NotFound(field=field)
    return found


def _open_account(*which: ColumnElement[bool]) -> Select[Customer]:
    return (
        select(Customer)
        .where(*which, Customer.blocked_at.is_(None), Customer.erased_at.is_(None))
        .with_for_update(read=True)
    )


def _live_client(client_id: int) -> Select[ApiClient]:
    """The program, unless it has ended; it does not end while the transaction lasts."""
    return select(ApiClient).where(ApiClient.id == client_id, ApiClient.ended_at.is_(None)).with_for_update(read=True)


def _require_live(session: Session, program: Bringer) -> None:
    """Neither the program nor the secret by which it came in ends while the transaction lasts. Raises
    Unauthenticated."""
    secret = select(ApiSecret.id).where(ApiSecret.id == program.secret_id, ApiSecret.ended_at.is_(None))
    for live in (_live_client(program.id), secret.with_for_update(read=True)):
        if session.scalar(live) is None:
            raise Unauthenticated()


def _count(whom: Callable[[Session], Customer], now: datetime) -> None:
    """Count one more bringing of a customer, whatever becomes of it. Raises TooMany(retry_after)."""
    with transaction() as session:
        limits.take(session, EACH_CUSTOMER, "brought", whom(session).public_id, now=now)


def _audit(session: Session, action: str, customer: Customer, client: str, now: datetime, **facts: str) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind="insurer",
        actor=client,
        subject=customer.public_id,
        insurer_id=customer.insurer_id,
        **facts,
    )
