"""Acts of operators that need a sign-in of the last minutes: the one table of them.

A session that was left open, or stolen, must not make an operator, shut one out, or take a second factor away. An
act is risky when it decides who may sign in, or can't be undone.

Customers' are few, and each stands in its use case (`require_recent`): a copy of all her data, and the erasure of her
account. A session to which her insurer's app brought her is never recent: for those she signs in by a code; to change
her phone she needs codes in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from vip import roles
from vip.principal import Somebody
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
    "approve_provider",
    "rename_provider",
    "start_import",
    "end_vanished",
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
    "approve_provider": "books",  # decides what is put before customers
    "rename_provider": "books",  # and under which name
    "start_import": "imports",  # writes thousands of people's policies at once
    "end_vanished": "people",  # ends as many
}
"""Each risky act and the duty it belongs to."""


OF_EVERY_MEMBER: frozenset[Act] = frozenset({"set_first_device"})
"""What members of providers do here, each to her own account; the rest they do in providers.staff."""


def allow(principal: Somebody, act: Act, *, now: datetime) -> None:
    """Raises NotFound without the duty of the act, SignInAgain without a sign-in of the last minutes."""
    if principal.kind != "member" or act not in OF_EVERY_MEMBER:
        roles.require(principal, RISKY[act])
    require_recent(principal, now)
