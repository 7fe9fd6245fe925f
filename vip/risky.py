"""Acts of operators that need a sign-in of the last minutes: the one table of them.

A session that was left open, or stolen, must not make an operator, shut one out, or take a second factor away. An
act is risky when it decides who may sign in, or can't be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from vip import roles
from vip.principal import Principal
from vip.roles import Duty
from vip.signin.signin import require_recent

Act = Literal[
    "add_operator",
    "end_service",
    "return_to_service",
    "reset_second_factor",
    "set_first_device",
    "block_customer",
    "unblock_customer",
    "erase_customer",
]

RISKY: Mapping[Act, Duty] = {
    "add_operator": "people",
    "end_service": "people",
    "return_to_service": "people",
    "reset_second_factor": "people",
    "set_first_device": "desk",  # a second one is shown the first
    "block_customer": "people",
    "unblock_customer": "people",
    "erase_customer": "people",
}
"""Each risky act and the duty it belongs to."""


def allow(principal: Principal, act: Act, *, now: datetime) -> None:
    """Raises NotFound without the duty of the act, SignInAgain without a sign-in of the last minutes."""
    roles.require(principal, RISKY[act])
    require_recent(principal, now)
