"""This provider tells nothing by itself: what others send as webhooks is dropped."""

from __future__ import annotations

from typing import Any

from providers.sandbox.ledger import Transaction
from providers.sandbox.webhooks import Sender


class Silence(Sender):
    """A sender that sends nothing and keeps nothing."""

    def start(self) -> None:
        """There is nothing to deliver."""

    def stop(self) -> None:
        """Nothing was started."""

    def queue(self, tx: Transaction, kind: str, data: dict[str, Any]) -> None:
        """Forget it."""
