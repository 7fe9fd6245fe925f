"""Networks beside the public ones in which a provider's system may be: an operator's word, since its address may be
somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.sending.outside import read_networks


def networks_of(code: str) -> Sequence[str]:
    """The networks that are allowed for a provider. Raises NotFound(field="provider")."""
    with reading() as session:
        return _provider(session, code).networks


def allow_networks(code: str, networks: Sequence[str], *, actor: str, now: datetime) -> None:
    """Allow these networks for a provider (`10.20.0.0/16`, `fd12::/48`, one address as `10.20.0.7/32`), and none
    besides. Audited. Raises NotFound(field="provider"), Invalid(field="networks")."""
    try:
        allowed = list(read_networks(networks))
    except ValueError as none:
        raise Invalid(field="networks", reason="network") from none
    with transaction() as session:
        provider = _provider(session, code)
        before, provider.networks = list(provider.networks), allowed
        audit.record(
            session,
            "provider.networks_allowed",
            at=now,
            actor_kind="operator",
            actor=actor,
            subject=provider.public_id,
            before=before,
            networks=allowed,
        )


def _provider(session: Session, code: str) -> Provider:
    provider = session.scalar(select(Provider).where(Provider.code == code))
    if provider is None:
        raise NotFound(field="provider")
    return provider
