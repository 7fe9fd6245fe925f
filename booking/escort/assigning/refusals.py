"""Why a worker can't be asked to go somewhere."""

from __future__ import annotations

from marketplace.core.errors import Refusal


class AlreadyAsked(Refusal):
    """Somebody is asked for this booking already, or has accepted it; `worker` says who (public id)."""

    code = "escort_already_asked"


class WorkerUnavailable(Refusal):
    """She can't go; `reason` is the first filter that stands against her (escort.matching.against)."""

    code = "escort_unavailable"


class NotToBeEscorted(Refusal):
    """Nobody is sent to this booking now. `reason`: over (or not submitted yet), begun, cancel_under_way, moves (the
    customer agreed to a time that was proposed, and it is not there yet), no_time (for an answer), elsewhere (its
    provider's own system sends people), or not_sent (a kind for which nobody is)."""

    code = "not_to_be_escorted"
