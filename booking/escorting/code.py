"""The person's code, four digits that she says when they meet: proves presence as well as a position does."""

from __future__ import annotations

import hmac
from datetime import datetime

from booking.escort.assign import code_of
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Refusal
from vip.signin import limits
from vip.signin.limits import Limit

TRIES = Limit(capacity=5, per_hour=5)
"""Of one assignment. Four digits bear a dozen tries in a visit of some hours, and not a thousand."""


class WrongCode(Refusal):
    """It is not the person's code; `left` tries are left before one has to wait."""

    code = "wrong_escort_code"
    status = 422
    field = "code"


def check_code(assignment_id: int, public_id: str, given: str, *, now: datetime) -> bool:
    """Whether the code that was given is the person's. It outlives the visit, so that what is told late is proved by it
    as well; False where nothing can be compared any more, since she was erased. Every try counts, in a transaction of
    its own. Raises WrongCode, and TooMany(retry_after) without comparing."""
    with reading() as session:
        if code_of(session, assignment_id) is None:
            return False
    with transaction() as session:
        left = limits.take(session, TRIES, "escort_code", public_id, now=now)
    with transaction() as session:
        code = code_of(session, assignment_id)
        if code is None:
            return False
        if not hmac.compare_digest(code.encode(), given.encode()):
            raise WrongCode(left=left)
        limits.fill(session, "escort_code", public_id)
    return True
