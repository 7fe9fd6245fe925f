"""Connecting a provider to what was tried: the very values of a test that passed, and no others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.calls.connections import CALL_RECORD
from booking.calls.join import System, write_system
from booking.joining.models import SystemTest
from booking.joining.present import is_as_marked, mark_of
from booking.joining.secret import RECORD, is_none, is_same
from booking.joining.view import loses, ready, row_of
from marketplace.catalog.models import Provider
from marketplace.core.crypto import unseal_master
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, Refusal
from providers.conformance.certificates.issue import lock_provider
from vip.principal import Member

MOST_WRONG = 5
"""So many wrong secrets are compared with that of a test; then the values have to be tested once more."""


class NotTried(Refusal):
    """These values did not pass a test lately, others were tried since, or the system was connected otherwise since."""

    code = "not_tried"
    status = 409


class NotConfirmed(Refusal):
    """Connecting takes something from customers, which has to be confirmed."""

    code = "loss_not_accepted"
    status = 422


def connect_tested(member: Member, test: str, *, secret: str = "", confirmed: bool, now: datetime) -> None:
    """Connect her provider to what this test (a public id) tried; done before, nothing is done. `secret`: typed again,
    where it is not kept any more. Audited as hers. What an operator connected since the test was asked for stays.

    Raises NotFound, NotTried, NotConfirmed, and Invalid (field `secret`; `adapter` for another one than its bookings
    were made by).
    """
    with transaction() as session:
        provider = lock_provider(session, member.provider_id)
        row = row_of(session, member, test)
        wrong = secret != "" and not is_same(secret, row.public_id, row.secret_hash)
        unchanged = is_as_marked(provider, row.connection_mark)
        if row.connected_at is not None and unchanged:
            return
        if not unchanged or not ready(session, row, now) or row.wrong_secrets >= MOST_WRONG:
            raise NotTried()
        if wrong:
            row.wrong_secrets += 1
        else:
            tried = secret or _kept_secret(provider, row)
            if loses(session, provider, row) and not confirmed:
                raise NotConfirmed()
            _write(session, member, provider, row, tried, now=now)
    if wrong:  # it is counted
        raise Invalid(field="secret", reason="secret_differs")


def _write(
    session: Session, member: Member, provider: Provider, row: SystemTest, secret: str, *, now: datetime
) -> None:
    """Write it as every other connection, and that this was done."""
    system = System(row.adapter, row.base_url, row.settings, secret)
    write_system(session, provider.id, system, Actor("provider", member.public_id), now=now)
    row.connected_at, row.secret_sealed = now, None
    row.connection_mark = mark_of(provider)


def _kept_secret(provider: Provider, row: SystemTest) -> str:
    """The secret that was tried, as it is kept, or as the provider has it; blank where none was. Raises
    Invalid(field="secret")."""
    if row.secret_sealed is not None:
        return unseal_master(row.secret_sealed, RECORD.format(row.public_id))
    if not row.secret_kept:
        if is_none(row.public_id, row.secret_hash):
            return ""
        raise Invalid(field="secret", reason="secret_over")
    sealed = provider.secret_sealed
    stored = "" if sealed is None else unseal_master(sealed, CALL_RECORD.format(provider.code))
    if not is_same(stored, row.public_id, row.secret_hash):
        raise NotTried()
    return stored
