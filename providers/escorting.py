"""What the marketplace asks of a provider whose own system sends escorts, and what it says (plain data).

Such an adapter has these methods beside those of `providers.port.ProviderAdapter`; `escorting_adapter` is how they are
asked. An escort is one of its bookings: it is reserved, moved, cancelled, looked up and listed as all are. Who is sent
and what she does there is said by lines.

They are numbered by the provider from 1 in each booking, without a gap: the list is the truth, an event brings a line
of it early. The number is the order of what was done, `at` its time by the provider's clock.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from providers.conversing import Picture
from providers.reported import EscortLine, EscortPage


@runtime_checkable
class Escorts(Protocol):
    """An adapter of systems that send escorts of their own."""

    def escort_lines_after(self, reference: str, seq: int) -> EscortPage:
        """What was done in a booking (the provider's reference) after the number `seq` (0: all). Raises
        ProviderError."""
        ...

    def fetch_paper(self, line: EscortLine) -> Picture:
        """The picture of a line. Raises ProviderError, Oversize."""
        ...


def escorting_adapter(adapter: object) -> Escorts:
    """The adapter as one of systems that send escorts. Raises TypeError for any other."""
    if not isinstance(adapter, Escorts):
        raise TypeError("an adapter that sends no escorts")
    return adapter
