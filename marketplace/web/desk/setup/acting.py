"""What the forms of the connection have in common: who acts, and that a form sent twice acts once."""

from __future__ import annotations

import hashlib
import json

from booking.idempotency import Repeatable
from booking.webhooks.endpoints import By
from marketplace.core import clock
from marketplace.core.ids import new_token
from marketplace.web.answers import field
from marketplace.web.desk import session
from providers.staff.programs import allow
from vip.principal import Member


def changing() -> Member:
    """The member who changes how the provider is connected. Raises NotFound, SignInAgain."""
    who = session.member()
    allow(who, clock.now())
    return who


def by(who: Member) -> By:
    """Her, for the audit."""
    return By("provider", who.public_id)


def repeatable(who: Member, *given: str) -> Repeatable:
    """The form that was sent, by its hidden field `key` and what was `given` in it: the same twice acts once, and
    anything else from the same page, which a browser may have gone back to, is new."""
    content = json.dumps([field("key", 100) or new_token(), *given]).encode()
    return Repeatable(f"member:{who.public_id}", hashlib.sha256(content).hexdigest(), hashlib.sha256(content).digest())
