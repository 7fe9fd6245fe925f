"""What `make run` runs (`python -m marketplace.development.processes run`), for development and for trying it out.

It checks the ports, starts the embedded database (unless DATABASE_URL names one), migrates, compiles translations,
loads the demonstration's data, and then runs the web server, the process that delivers streams, the worker and the
sandbox providers until Ctrl-C.
`exec COMMAND …` runs any command on the same database, whether or not `run` is running.

Settings: ANXIANG_HOST and ANXIANG_PORT (127.0.0.1, 8000), ANXIANG_LIVE_PORT (8020), ANXIANG_SANDBOX_PORT and
ANXIANG_DAY_SANDBOX_PORT (8010, 8011), ANXIANG_WEB_WORKERS (2), ANXIANG_WEB_COMMAND (another web server; {host}, {port}
and {workers} are filled in),
ANXIANG_DEMO=no for no demonstration data, no sandboxes and no clock to move, ANXIANG_DEMO_CLOCK=yes for a clock that
others may move where ANXIANG_HOST is open to them. What cannot be done is said in one sentence before anything starts,
exit code 1.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from booking.worker.watchdog import EXIT_CODE
from marketplace.core import migrate
from marketplace.core.config import ROOT, sqlalchemy_url, state_dir
from marketplace.core.database.connection import set_on_role
from marketplace.development.database import DevDatabase, DevDatabaseError
from marketplace.development.supervisor import Service, Supervisor

# Threads a process: docs/decisions/0005-web-server.md. Many, though few work at once: a request whose body trickles in
# keeps a thread waiting without a connection to the database (docs/deployment.md).
WEB = (
    "granian --interface wsgi --host {host} --port {port} --workers {workers} --blocking-threads 256 --no-access-log "
    "wsgi:app"
)
# One process, which waits and hardly computes. As many requests are let in as it may have streams, and more.
LIVE = (
    "granian --interface asgi --host {host} --port {port} --workers 1 --backpressure 8192 --no-ws --no-access-log "
    "marketplace.live.app:app"
)
GIVES_WAY = ("nice", "-n", "5")
"""On the database's machine the web server gives way to it, as its unit's `Nice=` says: while the process that holds a
row's lock waits for the processor, so does everybody who waits for the row."""
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class CannotRun(Exception):
    """Why the product cannot start, in one sentence."""


@dataclass(frozen=True)
class Options:
    """Where things listen and what is run."""

    host: str
    port: int
    live_port: int
    sandbox_port: int
    day_sandbox_port: int
    web_workers: int
    web_command: str
    demo: bool
    clock: bool
    """Whether pages move the demonstration's clock, without a sign-in: for this machine only, unless asked for."""

    @staticmethod
    def read(environment: Mapping[str, str]) -> Options:
        """The options in the environment. Raises CannotRun."""
        host = environment.get("ANXIANG_HOST") or "127.0.0.1"
        demo = environment.get("ANXIANG_DEMO", "yes").lower() not in ("no", "0", "false")
        asked = environment.get("ANXIANG_DEMO_CLOCK", "").lower() in ("yes", "1", "true")
        return Options(
            host=host,
            port=_number(environment, "ANXIANG_PORT", 8000, 65535),
            live_port=_number(environment, "ANXIANG_LIVE_PORT", 8020, 65535),
            sandbox_port=_number(environment, "ANXIANG_SANDBOX_PORT", 8010, 65535),
            day_sandbox_port=_number(environment, "ANXIANG_DAY_SANDBOX_PORT", 8011, 65535),
            web_workers=_number(environment, "ANXIANG_WEB_WORKERS", 2, 64),
            web_command=environment.get("ANXIANG_WEB_COMMAND") or WEB,
            demo=demo,
            clock=demo and (asked or _this_machine_only(host)),
        )

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the product."""
        return self._at(self.port)

    @property
    def live_address(self) -> str:
        """Where it finds streams: no proxy puts both at one address here."""
        return self._at(self.live_port)

    def _at(self, port: int) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def sandbox_address(self) -> str:
        """Where the sandbox providers listen: this machine only."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def day_sandbox_address(self) -> str:
        """Where the sandbox provider listens that gives out places per day: this machine only."""
        return f"http://127.0.0.1:{self.day_sandbox_port}"


def run() -> int:
    """Run the product until a signal comes; 0 then, 1 when a process died. Raises CannotRun."""
    options = Options.read(os.environ)
    _check_port(options.host, options.port, "ANXIANG_PORT")
    _check_port(options.host, options.live_port, "ANXIANG_LIVE_PORT")
    if options.demo:
        _check_port("127.0.0.1", options.sandbox_port, "ANXIANG_SANDBOX_PORT")
        _check_port("127.0.0.1", options.day_sandbox_port, "ANXIANG_DAY_SANDBOX_PORT")
    with _database() as (database_url, owner_url):
        environment = environment_of(options, database_url, owner_url)
        _migrate(database_url, owner_url)
        compile_translations(ROOT / "marketplace" / "web" / "translations")
        sign_ins = _load_demo(environment) if options.demo else ""
        return Supervisor(
            services(options),
            environment,
            ROOT,
            ready=lambda: _answers(options.address + "/healthz"),
            on_ready=lambda: print(f"\nAnxiang 安享 is at {options.address}\n{sign_ins}", flush=True),
        ).run()


def execute(command: list[str]) -> int:
    """Run one command on the product's database and return its exit code. Raises CannotRun."""
    with _database() as (database_url, owner_url):
        environment = environment_of(Options.read(os.environ), database_url, owner_url)
        child = subprocess.Popen(command, cwd=ROOT, env=environment)
        with _signals_go_to(child):
            return child.wait()


def services(options: Options) -> list[Service]:
    """The processes of the product."""
    web = web_command(options.web_command, host=options.host, port=options.port, workers=options.web_workers)
    live = live_command(host=options.host, port=options.live_port)
    found = [Service("web", web), Service("live", live), Service("worker", _python("booking.worker"), again=EXIT_CODE)]
    if options.demo:
        where = ["--port", str(options.sandbox_port), "--data", str(_sandbox()), "--config", str(sandbox_accounts())]
        found.append(Service("sandbox", [*_python("providers.sandbox"), *where]))
        where = ["--port", str(options.day_sandbox_port), "--data", str(_sandbox() / "days")]
        where += ["--config", str(day_sandbox_accounts())]
        found.append(Service("days", [*_python("providers.sandbox.day_capacity"), *where]))
    return found


def web_command(template: str, *, host: str, port: int, workers: int) -> list[str]:
    """The command of a web server, of the form of ANXIANG_WEB_COMMAND, at the priority that it has in production."""
    return [*GIVES_WAY, *_with_our_programs(shlex.split(template.format(host=host, port=port, workers=workers)))]


def live_command(*, host: str, port: int) -> list[str]:
    """The command of the process that delivers streams."""
    return _with_our_programs(shlex.split(LIVE.format(host=host, port=port)))


def sandbox_accounts() -> Path:
    """The sandbox's accounts, written by `python -m marketplace.demo load`."""
    return _sandbox() / "config.json"


def day_sandbox_accounts() -> Path:
    """The accounts of the sandbox of the day-capacity interface, written by `python -m marketplace.demo load`."""
    return _sandbox() / "day-config.json"


def compile_translations(folder: Path) -> int:
    """Make the .mo of every .po that changed since; returns how many were made."""
    made = 0
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalog = read_po(file, locale=source.parent.parent.name, abort_invalid=True)
        draft = target.with_suffix(f".{os.getpid()}.tmp")
        with draft.open("wb") as file:
            write_mo(file, catalog)
        draft.replace(target)
        made += 1
    return made


def _sandbox() -> Path:
    return state_dir().absolute() / "sandbox"


def _python(module: str) -> list[str]:
    return [sys.executable, "-m", module]


def _with_our_programs(command: list[str]) -> list[str]:
    """The command with its program taken from beside our Python, if it is there."""
    program = Path(sys.executable).parent / command[0]
    return [str(program) if program.exists() else command[0], *command[1:]]


def _this_machine_only(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _number(environment: Mapping[str, str], name: str, default: int, largest: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= largest):
        raise CannotRun(f"{name} must be a number from 1 to {largest}, not {text!r}.")
    return int(text)


def _check_port(host: str, port: int, setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as failed:
            raise CannotRun(
                f"Cannot listen on {host} port {port} ({failed.strerror}): free it, or choose another with {setting}."
            ) from failed


@contextmanager
def _database() -> Iterator[tuple[str, str]]:
    """The addresses for the application and for the owner, of a server that answers."""
    given = os.environ.get("DATABASE_URL", "")
    if given:
        owner = os.environ.get("DATABASE_OWNER_URL") or given
        _check_database(given)
        yield given, owner
        return
    if os.environ.get("ANXIANG_ENV") == "production":
        raise CannotRun("DATABASE_URL is not set, and the embedded database is for development only.")
    try:
        server = DevDatabase()
        server.start()
    except DevDatabaseError as failed:
        raise CannotRun(str(failed)) from failed
    try:
        yield server.database_url, server.owner_url
    finally:
        server.stop()


def _check_database(address: str) -> None:
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.Error as failed:
        reason = str(failed).strip().splitlines()[0]
        raise CannotRun(f"The database of DATABASE_URL does not answer: {reason}") from failed


def environment_of(options: Options, database_url: str, owner_url: str) -> dict[str, str]:
    """What the processes of the product are started with. Where the clock is not to be moved, nothing outside says
    otherwise."""
    given = {name: value for name, value in os.environ.items() if name != "DEMO_CLOCK_FILE"}
    moved = {"DEMO_CLOCK_FILE": str(state_dir().absolute() / "clock")} if options.clock else {}
    return {
        "ANXIANG_ENV": "development",
        "PUBLIC_URL": options.address,
        "STREAM_URL": options.live_address,
        **given,
        **moved,
        "DATABASE_URL": database_url,
        "DATABASE_OWNER_URL": owner_url,
        "ANXIANG_STATE_DIR": str(state_dir().absolute()),
        "ANXIANG_SANDBOX_URL": options.sandbox_address,
        "ANXIANG_DAY_SANDBOX_URL": options.day_sandbox_address,
        "ANXIANG_SANDBOX_ACCOUNTS": str(sandbox_accounts()),
        "PYTHONUNBUFFERED": "1",
    }


def _migrate(database_url: str, owner_url: str) -> None:
    try:
        set_on_role(sqlalchemy_url(database_url))
        migrate.upgrade(owner_url, application_role=make_url(database_url).username)
    except DBAPIError as failed:
        raise CannotRun(f"The database was not migrated: {str(failed.orig).strip().splitlines()[0]}") from failed


def _load_demo(environment: Mapping[str, str]) -> str:
    """Load the demonstration's data, or find it there; returns the sign-ins that the command prints."""
    _sandbox().mkdir(parents=True, exist_ok=True)
    command = [*_python("marketplace.demo"), "load"]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise CannotRun("The demonstration's data could not be loaded; the reason stands above.")
    return done.stdout


def _answers(address: str) -> bool:
    try:
        with _NO_PROXY.open(address, timeout=0.5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _signals_go_to(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """SIGTERM is passed on; Ctrl-C reaches the child by itself, and we wait for how it ends."""
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_in_order(*_: object) -> None:
    """SIGTERM before the processes run: leave as Ctrl-C would, so that the database is let go."""
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m marketplace.development.processes", description="Run the product.")
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("run", help="everything, until Ctrl-C")
    commands.add_parser("translations", help="compile the translations that changed")
    commands.add_parser("exec", help="one command on the same database").add_argument("command", nargs="...")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _end_in_order)
    try:
        if given.what == "translations":
            compile_translations(ROOT / "marketplace" / "web" / "translations")
            return 0
        return run() if given.what == "run" else execute(_with_our_programs(given.command))
    except CannotRun as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
