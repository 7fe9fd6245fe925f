"""Registering: whoever reads the page says who the organisation is, and is sent a link to the address that she gave.

Nothing is told about other applications: known or not, every address gets the same answer and a letter of its own.
Limits go by who asks, and by that together with the address: nobody uses up what another needs.
"""

from __future__ import annotations

from dataclasses import astuple
from datetime import datetime, timedelta

from sqlalchemy import select

from marketplace.core import crypto, ids
from marketplace.core.database.db import transaction
from marketplace.core.logging import get_logger
from providers.applying.facts import Facts, checked
from providers.applying.models import ProviderApplication
from providers.applying.records import LASTS, contact_record, email_record, token_record
from vip.signin import limits, turns
from vip.signin.limits import Caller, Limit

BY_CALLER = Limit(10, 10)
"""Applications that one sends, to whatever addresses."""
TO_ADDRESS = Limit(3, 1)
"""Letters that one has sent to one mail box."""
TWICE = timedelta(minutes=10)

log = get_logger(__name__)


def apply(given: Facts, *, caller: Caller, now: datetime, request: str = "") -> None:
    """Store an application, and have the letter with its link sent. There is no provider before the link is opened.

    `request`: what a form names its sending by. Sent again with the same content within TWICE, as by two clicks, it is
    one application and one letter; later it has the letter sent once more, which may have been lost.

    Raises Invalid with the field at fault, TooMany(retry_after) and, without a turn, Crowded(retry_after).
    """
    facts = checked(given)
    named = ids.id_of("app", "\0".join((request, *astuple(facts)))) if request else ids.new_id("app")
    with turns.asking.strangers.turn(caller.name), transaction() as session:
        limits.take(session, BY_CALLER, "applications", caller.name, now=now)  # two clicks wait here for each other
        known = session.scalar(select(ProviderApplication.created_at).where(ProviderApplication.public_id == named))
        if known is not None and known > now - TWICE:
            return
        public_id, token = named if known is None else ids.new_id("app"), ids.new_token()
        limits.take(session, TO_ADDRESS, "applications", caller.name, facts.email, now=now)
        session.add(
            ProviderApplication(
                public_id=public_id,
                state="asked",
                name_zh=facts.name_zh,
                name_en=facts.name_en,
                answers=facts.answers,
                country=facts.country,
                registration=facts.registration,
                contact_sealed=crypto.seal_master(facts.contact, contact_record(public_id)),
                email_sealed=crypto.seal_master(facts.email, email_record(public_id)),
                language=facts.language,
                time_zone=facts.time_zone,
                token_hash=crypto.token_hash(token),
                token_sealed=crypto.seal_master(token, token_record(public_id)),
                created_at=now,
                expires_at=now + LASTS,
                letter="confirm",
                run_after=now,
            )
        )
    log.info("application.made", application=public_id)
