"""Run a provider server as a process: its options, its ledger, its clock and its end."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from providers.sandbox.bookings import Desk
from providers.sandbox.clockwork import Clockwork
from providers.sandbox.config import Account, ConfigError, load
from providers.sandbox.ledger import DataInUse, Ledger

Opener = Callable[[Ledger, Account], Desk]
"""Puts an account to work on the ledger."""


class Handler(WSGIRequestHandler):
    """No request log (addresses carry references) and no waiting for acknowledgements of half a response."""

    disable_nagle_algorithm = True
    timeout = 120

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Errors only, without the request."""
        if type == "error":
            print("sandbox:", message % args if args else message, file=sys.stderr)


def serve(
    module: str,
    default_port: int,
    create_app: Callable[[Mapping[str, Desk]], Flask],
    open_desk: Opener,
    arguments: Sequence[str] | None,
) -> int:
    """Serve until SIGTERM or Ctrl-C. Prints one line `sandbox ready on URL` when it accepts requests."""
    options = _options(module, default_port, arguments)
    try:
        accounts = load(options.config, os.environ)
        ledger = Ledger(options.data, options.clock_offset, options.clock_file)
    except (ConfigError, DataInUse) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    desks = {account.code: open_desk(ledger, account) for account in accounts}
    try:
        listener = socket.create_server((options.host, options.port), backlog=512)
    except OSError as error:
        print(f"sandbox: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 3
    server = make_server(
        options.host, options.port, create_app(desks), threaded=True, request_handler=Handler, fd=listener.fileno()
    )
    clockwork = Clockwork(ledger, desks)
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the serving loop, which is this thread; so another one asks for it.
        signal.signal(signal_number, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
    clockwork.start()
    for desk in desks.values():
        desk.sender.start()
    print(f"sandbox ready on http://{options.host}:{server.port}", flush=True)
    server.serve_forever(poll_interval=0.1)
    clockwork.stop()
    for desk in desks.values():
        desk.sender.stop()
    ledger.close()
    return 0


def _options(module: str, default_port: int, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description="Run a provider server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=default_port, help="0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder of the ledger; made if it is not there")
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the accounts")
    parser.add_argument(
        "--clock-offset",
        type=float,
        default=float(os.environ.get("CLOCK_OFFSET_SECONDS", "0")),
        help="seconds by which the clock is ahead (CLOCK_OFFSET_SECONDS)",
    )
    moved = os.environ.get("DEMO_CLOCK_FILE")
    parser.add_argument(
        "--clock-file",
        type=Path,
        default=Path(moved) if moved else None,
        help="file with the seconds by which it is further ahead, read anew each time (DEMO_CLOCK_FILE)",
    )
    return parser.parse_args(arguments)
