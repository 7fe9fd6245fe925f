"""The small process that owns an embedded server: `python -m marketplace.development.embedded.guard STATE`.

Every user of the server holds a shared lock on `users.lock`, which the kernel takes back when the user ends, however it
ends. Whoever gets that lock alone knows that there are no users, and nobody can join while it stops the server.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from marketplace.core.config import ROOT
from marketplace.development.embedded import postgres
from marketplace.development.embedded.postgres import Server
from marketplace.development.embedded.programs import DevDatabaseError

_LOG_LIMIT = 5_000_000
_started: list[tuple[Path, subprocess.Popen[bytes]]] = []  # the guards whose parent we are, to be collected


def join(state: Path) -> int:
    """Become a user of the server; the descriptor returned is the lock. Waits while the server is going down."""
    return _lock(state / "users.lock", fcntl.LOCK_SH)


def end_if_unused(state: Path) -> bool:
    """Stop the server if it has no users and no `keep` marker, and say whether that was so.

    What was ephemeral is gone afterwards.
    """
    if (state / "keep").exists():
        return False
    try:
        lock = lock_alone(state / "users.lock")
    except BlockingIOError:
        return False
    try:
        server = Server.read(state)
        if server is not None:
            postgres.stop(server)
            if server.ephemeral and server.folder.exists():
                postgres.remove(server)
                server.folder.rmdir()
        return True
    finally:
        os.close(lock)


def start(state: Path) -> subprocess.Popen[bytes]:
    """Start the guard in a session of its own, so that Ctrl-C reaches the database's users but not the database."""
    log = _open_log(state / "server.log")
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "marketplace.development.embedded.guard", str(state)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    _started.append((state, child))
    return child


@atexit.register
def _leave_them_running() -> None:
    """We end while others use the server: its guard runs on, on purpose, so Popen need not warn of it."""
    for _owner, child in _started:
        child.returncode = child.poll() or 0


def collect(state: Path) -> None:
    """Wait until the guards that we started for this server have ended; it has stopped, so they do."""
    for owner, child in [*_started]:
        if owner == state:
            child.wait(10)
            _started.remove((owner, child))


def watch(state: Path) -> None:
    """Make the data if need be, run the server as our child, and stop it when its last user has gone.

    Raises DevDatabaseError. A server that was killed is not brought back here: its users start it again, with a new
    guard; of this one it only remains to see an ephemeral server's end.
    """
    server = Server.read(state)
    if server is None:
        raise DevDatabaseError(f"There is no embedded database in {state}.")
    postgres.make_data(server)
    postgres.clear_stale_pid(server)
    child = postgres.launch(server)
    while child.poll() is None or (server.ephemeral and child.returncode < 0):
        if end_if_unused(state):
            return
        time.sleep(0.2)


def lock_alone(path: Path) -> int:
    """A descriptor that holds the lock alone until it is closed. Raises BlockingIOError when somebody has it."""
    return _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock(path: Path, how: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _open_log(path: Path) -> int:
    """A descriptor to append to the log, begun anew when it has grown large."""
    size = path.stat().st_size if path.exists() else 0
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if size > _LOG_LIMIT else 0), 0o600)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the server follows: the kernel tells it that we ended
    with suppress(KeyboardInterrupt):
        try:
            watch(Path(sys.argv[1]))
        except DevDatabaseError as failed:
            sys.exit(str(failed))
