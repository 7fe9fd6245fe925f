"""python -m providers.sandbox: run the provider server of the open protocol."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from providers.sandbox import slots
from providers.sandbox.app import create_app
from providers.sandbox.bookings import Desk
from providers.sandbox.config import Account
from providers.sandbox.consultations import doctors
from providers.sandbox.escorts import staff
from providers.sandbox.faults import Faults
from providers.sandbox.ledger import Ledger
from providers.sandbox.serving import serve
from providers.sandbox.webhooks import Sender


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit code."""
    return serve("providers.sandbox", 8010, create_app, _open, arguments)


def _open(ledger: Ledger, account: Account) -> Desk:
    if account.pools:
        slots.register(ledger, account.code, account.pools, replace=True)
    if account.consultations is not None:
        doctors.register(ledger, account.code, account.consultations.doctors)
    if account.escorts is not None:
        staff.register(ledger, account.code, account.escorts.staff)
    faults = Faults()
    return Desk(account, ledger, faults, Sender(ledger, account, faults))


if __name__ == "__main__":
    sys.exit(main())
