"""Start the provider server as the real process it is, for any test that needs a provider."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import requests

from providers.port import Connection
from tests.eventually import eventually
from tests.processes import Running, start

ROOT = Path(__file__).resolve().parent.parent
# Signs nothing but messages between two processes of one test.
WEBHOOK_SECRET = "whsec_c2FuZGJveC10ZXN0LXNlY3JldC0xMjM0NTY="
POOL = {"pool": "P1", "offers": ["BASIC"], "time_zone": "Asia/Shanghai", "pattern": "half_hourly", "capacity": 5}


class Control:
    """The control API of one account."""

    def __init__(self, url: str, code: str) -> None:
        self._url = f"{url}/_control/accounts/{code}"
        self._session = requests.Session()
        self._session.trust_env = False

    def _ask(self, verb: str, path: str, payload: Any = None, **params: str) -> Any:
        response = self._session.request(verb, self._url + path, json=payload, params=params, timeout=30)
        assert response.status_code < 400, f"{verb} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def fault(self, fault: str, command: str = "*", **properties: Any) -> None:
        """Switch a fault on; strikes once unless `times` says otherwise (None: always)."""
        self._ask("POST", "/faults", {"fault": fault, "command": command, **properties})

    def faults(self) -> list[dict[str, Any]]:
        """What is on, with how often it `struck`."""
        return list(self._ask("GET", "/faults")["faults"])

    def clear_faults(self) -> None:
        """Switch all off."""
        self._ask("DELETE", "/faults")

    def bookings(self, our_reference: str | None = None) -> list[dict[str, Any]]:
        """The provider's ledger."""
        params = {} if our_reference is None else {"our_reference": our_reference}
        return list(self._ask("GET", "/bookings", **params)["bookings"])

    def live(self, our_reference: str) -> int:
        """How many live bookings there are under our reference."""
        return sum(booking["live"] for booking in self.bookings(our_reference))

    def move(self, reference: str, action: str, reason: str = "") -> dict[str, Any]:
        """confirm, reject, check_in, start, fulfil, no_show, cancel or report."""
        return dict(self._ask("POST", f"/bookings/{reference}/{action}", {"reason": reason}))

    def propose(self, reference: str, slot: str, seconds: float = 86400, reason: str = "") -> dict[str, Any]:
        """Propose another time, to be answered within so many seconds."""
        wish = {"slot": slot, "seconds": seconds, "reason": reason}
        return dict(self._ask("POST", f"/bookings/{reference}/proposal", wish))

    def withdraw_proposal(self, reference: str) -> dict[str, Any]:
        """Take the proposal back."""
        return dict(self._ask("DELETE", f"/bookings/{reference}/proposal"))

    def alter(self, reference: str, **values: Any) -> dict[str, Any]:
        """Change status, service_date, starts_at, ends_at or our_reference without telling anybody."""
        return dict(self._ask("PATCH", f"/bookings/{reference}", values))

    def copy(self, reference: str, **values: Any) -> dict[str, Any]:
        """Add another booking like it without telling anybody."""
        return dict(self._ask("POST", f"/bookings/{reference}/copy", values))

    def lose(self, reference: str) -> None:
        """Forget a booking."""
        self._ask("DELETE", f"/bookings/{reference}")

    def set_slot(self, slot: str, offered: int | None = None, closed: bool = False) -> dict[str, Any]:
        """Shrink, grow or close a slot."""
        return dict(self._ask("PUT", f"/slots/{slot}", {"offered": offered, "closed": closed}))

    def add_pools(self, pools: Sequence[Mapping[str, Any]]) -> int:
        """Register more pools."""
        return int(self._ask("POST", "/pools", {"pools": list(pools)})["changed"])

    def settings(self, **settings: Any) -> None:
        """manner, confirm_after, report_after, auto, seed, dice, webhook_url: until the next start."""
        self._ask("PATCH", "/settings", settings)

    def consultations(self, our_reference: str | None = None) -> list[dict[str, Any]]:
        """What each holds: state, what was `heard` and what was `said`, the oldest first."""
        params = {} if our_reference is None else {"our_reference": our_reference}
        return list(self._ask("GET", "/consultations", **params)["consultations"])

    def say(self, reference: str, **wish: Any) -> dict[str, Any]:
        """A doctor's line now: `text`, `picture` (True) or `summary`, perhaps of another `clinician`."""
        return dict(self._ask("POST", f"/consultations/{reference}/say", wish))

    def answer(self, reference: str) -> dict[str, Any]:
        """The script's next answer now."""
        return dict(self._ask("POST", f"/consultations/{reference}/answer"))

    def close_consultation(self, reference: str, *, summary: bool = True) -> dict[str, Any]:
        """End it now, with the script's summary or without one."""
        return dict(self._ask("POST", f"/consultations/{reference}/close", {"summary": summary}))

    def reword(self, reference: str, number: int, text: str) -> dict[str, Any]:
        """Other words under a number that was told."""
        return dict(self._ask("PATCH", f"/consultations/{reference}/lines/{number}", {"text": text}))

    def doctors(self) -> list[dict[str, Any]]:
        """The roster, with who has left."""
        return list(self._ask("GET", "/doctors")["doctors"])

    def set_doctors(self, doctors: int | Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Another roster: so many, or these."""
        wanted = doctors if isinstance(doctors, int) else list(doctors)
        return list(self._ask("PUT", "/doctors", {"doctors": wanted})["doctors"])

    def change_doctor(self, doctor: str, **facts: Any) -> dict[str, Any]:
        """Another name, title or licence; `active` False takes her off the roster."""
        return dict(self._ask("PATCH", f"/doctors/{doctor}", facts))

    def escorts(self, our_reference: str | None = None) -> list[dict[str, Any]]:
        """What each holds: state, who goes, what was asked for and all `lines`, the oldest first."""
        params = {} if our_reference is None else {"our_reference": our_reference}
        return list(self._ask("GET", "/escorts", **params)["escorts"])

    def deed(self, reference: str, kind: str, **wish: Any) -> dict[str, Any]:
        """A line of an escort now: its kind, perhaps another `escort` and another content."""
        return dict(self._ask("POST", f"/escorts/{reference}/lines", {"kind": kind, **wish}))

    def next_step(self, reference: str) -> dict[str, Any]:
        """What the script of an escort has next, now."""
        return dict(self._ask("POST", f"/escorts/{reference}/next"))

    def alter_deed(self, reference: str, number: int, **content: Any) -> dict[str, Any]:
        """Another content under a number that was told."""
        return dict(self._ask("PATCH", f"/escorts/{reference}/lines/{number}", content))

    def lose_picture(self, reference: str, picture: str) -> None:
        """A picture that was announced does not come."""
        self._ask("DELETE", f"/escorts/{reference}/pictures/{picture}")

    def staff(self) -> list[dict[str, Any]]:
        """Who may be sent, with who has left."""
        return list(self._ask("GET", "/staff")["staff"])

    def change_worker(self, worker: str, **facts: Any) -> dict[str, Any]:
        """Another name or qualification; `active` False: she goes nowhere any more."""
        return dict(self._ask("PATCH", f"/staff/{worker}", facts))

    def webhooks(self) -> list[dict[str, Any]]:
        """The log of outgoing messages."""
        return list(self._ask("GET", "/webhooks")["webhooks"])

    def replay_webhooks(self) -> int:
        """Send all again."""
        return int(self._ask("POST", "/webhooks/replay")["queued"])


@dataclass
class Sandbox:
    """A running provider server; `restart` keeps its ledger and its port."""

    url: str
    folder: Path
    running: Running
    module: str = "providers.sandbox"

    def control(self, code: str = "prompt") -> Control:
        """The strings of one account."""
        return Control(self.url, code)

    def base_url(self, code: str = "prompt") -> str:
        """Where the account's protocol is spoken."""
        return f"{self.url}/p/{code}"

    def connection(self, code: str = "prompt", deadline_seconds: float = 10.0) -> Connection:
        """What an adapter needs to speak to the account."""
        return Connection(
            code, self.base_url(code), f"key-{code}", (WEBHOOK_SECRET,), deadline_seconds=deadline_seconds
        )

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self.running.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self.running.kill()

    def restart(self) -> None:
        """Start again on the same port with the same ledger."""
        if self.running.alive:
            self.stop()
        self.running, self.url = _launch(self.module, self.folder, int(self.url.rsplit(":", 1)[1]))


def account(code: str, manner: str, **settings: Any) -> dict[str, Any]:
    """An account of the configuration file, with the key that Sandbox.connection uses."""
    return {
        "code": code,
        "manner": manner,
        "api_keys": [f"key-{code}"],
        "webhook_secret": WEBHOOK_SECRET,
        "confirm_after": 0.3,
        "report_after": 0.1,
        **settings,
    }


def start_sandbox(
    folder: Path,
    accounts: Sequence[Mapping[str, Any]] | None = None,
    pools: Sequence[Mapping[str, Any]] = (POOL,),
    module: str = "providers.sandbox",
) -> Sandbox:
    """Start a server with its ledger below `folder`. Without `accounts`: one of each manner, named like it. `pools`
    go to every account that brings none of its own. Stop it afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = accounts or [account(manner, manner) for manner in ("prompt", "deliberate", "moody")]
    written = [{"pools": list(pools), **entry} for entry in entries]
    (folder / "sandbox.json").write_text(json.dumps({"accounts": written}), encoding="utf-8")
    running, url = _launch(module, folder, 0)
    return Sandbox(url, folder, running, module)


def start_day_sandbox(
    folder: Path,
    accounts: Sequence[Mapping[str, Any]] | None = None,
    pools: Sequence[Mapping[str, Any]] = (POOL,),
) -> Sandbox:
    """The server that gives out places per day; otherwise like `start_sandbox`. An account's app key is its code."""
    return start_sandbox(folder, accounts, pools, "providers.sandbox.day_capacity")


def _launch(module: str, folder: Path, port: int) -> tuple[Running, str]:
    log = folder / "sandbox.log"
    log.unlink(missing_ok=True)
    files = ["--data", str(folder / "ledger"), "--config", str(folder / "sandbox.json")]
    running = Running(start([module, "--port", str(port), *files], {}, log))

    def address() -> str:
        said = log.read_text(encoding="utf-8")
        assert running.alive, f"the sandbox did not start: {said}"
        ready = re.search(r"^sandbox ready on (\S+)\n", said, re.MULTILINE)
        return ready[1] if ready else ""

    return running, eventually(address, 60)


@dataclass
class Received:
    """One webhook as it arrived."""

    headers: dict[str, str]
    body: bytes


class Inbox:
    """A receiver of webhooks on a free port; `refuse` so many with 500 first, of those that contain `refuse_only`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.refuse = 0
        self.refuse_only = b""
        self._lock = Lock()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = inbox.take(Received({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/events"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def take(self, message: Received) -> int:
        """Keep a message, or refuse it."""
        with self._lock:
            if self.refuse > 0 and self.refuse_only in message.body:
                self.refuse -= 1
                return 500
            self.received.append(message)
        return 204

    def kinds(self) -> list[str]:
        """The kinds of the events in the order of arrival."""
        with self._lock:
            return [json.loads(message.body)["type"] for message in self.received]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    """An Inbox for a `with` block."""
    inbox = Inbox()
    try:
        yield inbox
    finally:
        inbox.close()
