"""python -m providers.sandbox.day_capacity: run the provider server that gives out places per day."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from providers.sandbox import slots
from providers.sandbox.bookings import Desk
from providers.sandbox.config import Account
from providers.sandbox.day_capacity.app import create_app
from providers.sandbox.day_capacity.silence import Silence
from providers.sandbox.faults import Faults
from providers.sandbox.ledger import Ledger
from providers.sandbox.serving import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit code."""
    return serve("providers.sandbox.day_capacity", 8011, create_app, _open, arguments)


def _open(ledger: Ledger, account: Account) -> Desk:
    if account.pools:
        days = [replace(pool, pattern="day") for pool in account.pools]
        slots.register(ledger, account.code, days, replace=True)
    faults = Faults()
    return Desk(account, ledger, faults, Silence(ledger, account, faults))


if __name__ == "__main__":
    sys.exit(main())
