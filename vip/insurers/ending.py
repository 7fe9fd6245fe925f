"""Ending what an insurer's program did for customers, once it or its key is no longer believed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from marketplace.clients import credentials
from marketplace.clients.credentials import Besides, By
from marketplace.clients.models import ApiClient
from vip.insurers.models import SignInLink
from vip.models import SignInSession


def end_secret(client_id: str, secret_id: str, *, by: By, now: datetime) -> None:
    """End a secret of a program as credentials.end_secret() does, and every session to which the program brought a
    customer: whoever had the secret may have opened them."""
    credentials.end_secret(client_id, secret_id, by=by, now=now, also=_its_sessions(now))


def end_client(client_id: str, *, by: By, now: datetime) -> None:
    """End a program for good as credentials.end_client() does, with the sessions to which it brought customers."""
    credentials.end_client(client_id, by=by, now=now, also=_its_sessions(now))


def end_brought(session: Session, now: datetime, *, insurer_id: int | None = None, client_id: int | None = None) -> int:
    """End the sessions to which customers were brought, by any program of the insurer or by one, and links that are not
    used yet; returns how many sessions."""
    mine: ColumnElement[bool] = ApiClient.insurer_id == insurer_id if client_id is None else ApiClient.id == client_id
    clients = select(ApiClient.id).where(mine)
    session.execute(
        update(SignInLink).where(SignInLink.client_id.in_(clients), SignInLink.used_at.is_(None)).values(used_at=now)
    )
    ended = session.scalars(
        update(SignInSession)
        .where(SignInSession.client_id.in_(clients), SignInSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(SignInSession.id)
    )
    return len(ended.all())


def _its_sessions(now: datetime) -> Besides:
    """What is ended besides, in the same transaction."""

    def end(session: Session, client: ApiClient) -> None:
        end_brought(session, now, client_id=client.id)

    return end
