"""The provider's own clock: carries out planned actions when they are due, those of an earlier process too."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from providers.sandbox import bookings
from providers.sandbox.bookings import Desk
from providers.sandbox.consultations import rota
from providers.sandbox.escorts import dispatch
from providers.sandbox.ledger import Ledger

TICK_SECONDS = 0.1


class Clockwork:
    """One thread for all accounts."""

    def __init__(self, ledger: Ledger, desks: Mapping[str, Desk]) -> None:
        self._ledger = ledger
        self._desks = desks
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clockwork", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the action at hand and stop."""
        self._stopping.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            while not self._stopping.is_set() and self._carry_out_next():
                pass

    def _carry_out_next(self) -> bool:
        # What belongs to an account that this process does not play waits for one that does.
        marks = ", ".join("?" * len(self._desks))
        query = f"SELECT * FROM planned WHERE due_at <= ? AND account IN ({marks}) ORDER BY due_at, id LIMIT 1"
        with self._ledger.reading() as view:
            row = view.execute(query, (self._ledger.timestamp(), *self._desks)).fetchone()
        if row is None:
            return False
        desk = self._desks[row["account"]]
        with self._ledger.transaction() as tx:
            tx.execute("DELETE FROM planned WHERE id = ?", (row["id"],))
            rooms = {rota.PREFIX: rota.carry_out, dispatch.PREFIX: dispatch.carry_out}
            known = (rooms[prefix] for prefix in rooms if row["action"].startswith(prefix))
            next(known, bookings.carry_out)(desk, tx, row["reference"], row["action"])
            rota.assign(desk, tx)
            dispatch.tend(desk, tx)
        desk.sender.wake()
        return True
