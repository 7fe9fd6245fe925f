"""Where a drill happens: a database, providers and customers of its own, in a folder that is gone afterwards."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import requests
from psycopg.rows import namedtuple_row
from sqlalchemy import make_url

from drill.rig.fleet import CannotDrill, Fleet, answers
from drill.rig.plan import DAYS, POSTGRESQL, SANDBOX, WEBS, WORKERS
from drill.rig.proxy import Proxy, proxy_to
from marketplace.catalog.importer import import_sites
from marketplace.core import clock, migrate
from marketplace.core.config import ROOT, settings
from marketplace.core.database import db
from marketplace.demo import people
from marketplace.demo.offers import BY_DAY, PROVIDERS, SAMPLE_SITES, place_offers
from marketplace.development import processes
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import APPLICATION, free_port

CODES = tuple(provider.code for provider in (*PROVIDERS, BY_DAY))
PLAYED_BY = {code: DAYS if code == BY_DAY.code else SANDBOX for code in CODES}
_SITES = 14
_UNITS = 6
_PLACES = {"half_hourly": 2, "four_a_day": 3, "day": 6}
"""Places of each slot: few, so that customers meet."""

# A provider of the drill is given up after 3 s, commits at most 10 s after it was asked, and is polled often.
_TIMES = {"deadline_seconds": 3, "settle_window_seconds": 10, "poll_seconds": 2, "slots_seconds": 10}
_LEASE = 6

_BEGINS = time_of_day(1)
_ON_THE_DAY = "UPDATE offer SET lead_minutes = -720, cancel_hours = -12, change_hours = -12"
"""A whole day counts from its midnight: until noon of the day itself it can be booked, cancelled and changed."""

_PULLED = "SELECT count(*) FROM sync_cursor WHERE feed = 'slots' AND last_success_at IS NOT NULL"


@dataclass(frozen=True)
class Person:
    """A customer of the drill: her id and her token."""

    id: str
    token: str


@dataclass(frozen=True)
class Offer:
    """Something to book, and whose it is."""

    id: str
    provider: str


@dataclass
class Stage:
    """Everything a drill needs to know. `first_day` is today by the drill's clock; `hot` are a few offers that
    everybody wants on it; `places` are the places of each slot of a pool, by the provider's name of the pool."""

    folder: Path
    database: DevDatabase
    fleet: Fleet
    webs: list[str]
    sandboxes: Mapping[str, str]
    people: list[Person]
    offers: list[Offer]
    hot: list[Offer]
    keys: dict[str, str]
    places: dict[str, int]
    first_day: date
    proxy: Proxy

    @contextmanager
    def books(self) -> Iterator[psycopg.Connection[Any]]:
        """Our database as the owner sees it."""
        with psycopg.connect(
            self.database.owner_url, autocommit=True, row_factory=namedtuple_row, connect_timeout=5
        ) as connection:
            yield connection

    def control(self, verb: str, provider: str, path: str, body: Any = None) -> Any:
        """Ask the sandbox's control; raises requests.RequestException."""
        address = f"{self.sandboxes[PLAYED_BY[provider]]}/_control/accounts/{provider}{path}"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(verb, address, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def end_holds(self, *, booking: str | None = None, seconds: float = 0.0) -> None:
        """Bring the end of a hold (or of all) forward: customers of a drill have no ten minutes."""
        with self.books() as connection:
            connection.execute(
                "UPDATE booking SET hold_expires_at = least(hold_expires_at, %s)"
                " WHERE state = 'held' AND (%s::text IS NULL OR public_id = %s)",
                [clock.now() + timedelta(seconds=seconds), booking, booking],
            )

    def ask_again(self) -> None:
        """Let what could not be read be asked for again at once: a drill has no minute for each."""
        with self.books() as connection:
            connection.execute(
                "UPDATE discrepancy SET facts = jsonb_set(facts, '{ask_at}', to_jsonb(%s::text))"
                " WHERE kind = 'unreadable_row' AND closed_at IS NULL",
                [clock.now().isoformat()],
            )


@contextmanager
def stage(customers: int) -> Iterator[Stage]:
    """A stage with everything up; it changes this process's environment, like any program that runs the product."""
    with tempfile.TemporaryDirectory(prefix="anxiang-drill-") as name:
        folder = Path(name)
        with (
            DevDatabase(folder / POSTGRESQL, ephemeral=True, fsync=True) as database,
            proxy_to(_port_of_database(database.database_url)) as proxy,
        ):
            os.environ.update(
                ANXIANG_ENV="development",
                ANXIANG_STATE_DIR=str(folder / "state"),
                CLOCK_OFFSET_SECONDS=str(_until_a_workday()),
                DATABASE_URL=database.database_url,
                DATABASE_OWNER_URL=database.owner_url,
            )
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each start compiles the whole product anew
            settings.cache_clear()
            db.forget_engines()
            migrate.upgrade(database.owner_url, application_role=APPLICATION)
            processes.compile_translations(ROOT / "marketplace" / "web" / "translations")
            made = _furnish(folder, database, customers, proxy)
            try:
                for name in made.fleet.commands:
                    made.fleet.start(name)
                made.fleet.wait_until_up()
                _slots_are_here(made)
                yield made
            finally:
                made.fleet.end()
                db.forget_engines()


def _furnish(folder: Path, database: DevDatabase, customers: int, proxy: Proxy) -> Stage:
    sandbox, days, *webs = (f"http://127.0.0.1:{free_port()}" for _ in (SANDBOX, DAYS, *WEBS))
    now = clock.now()
    people.load_people(now)
    import_sites(SAMPLE_SITES, True, None)
    configs = place_offers(
        sandbox_url=sandbox,
        day_sandbox_url=days,
        webhooks_url=f"{webs[0]}/partner/v1/webhooks",
        now=now,
        auto={},
        most_sites=_SITES,
    )
    files = {SANDBOX: configs.config, DAYS: configs.config if configs.day_config is None else configs.day_config}
    half = customers // 2
    made = people.make_customers(half, people.KIND, _UNITS, now) if half else []
    made += people.make_customers(customers - half, people.KIND, None, now)
    db.forget_engines()
    sandboxes = {SANDBOX: sandbox, DAYS: days}
    keys, places = _few_places(files[SANDBOX])
    places |= _few_places(files[DAYS])[1]
    where = Stage(
        folder=folder,
        database=database,
        fleet=_fleet(folder, database, webs, sandboxes, files, proxy),
        webs=webs,
        sandboxes=sandboxes,
        people=[Person(one.customer_public_id, one.token) for one in made],
        offers=[],
        hot=[],
        keys=keys,
        places=places,
        first_day=clock.today(clock.HOME_ZONE, now),
        proxy=proxy,
    )
    with where.books() as connection:
        times = ", ".join(f"{name} = {value}" for name, value in _TIMES.items())
        connection.execute(f"UPDATE provider SET {times}".encode())
        connection.execute(_ON_THE_DAY)
        rows = connection.execute(
            "SELECT o.public_id, p.code FROM offer o JOIN provider p ON p.id = o.provider_id"
            " WHERE o.active AND o.package ->> 'sex' = 'any' AND (o.package ->> 'age_min')::int < 40"
            " ORDER BY o.external_ref"
        ).fetchall()
    where.offers += [Offer(row.public_id, row.code) for row in rows]
    where.hot += {offer.provider: offer for offer in where.offers}.values()
    return where


def _until_a_workday() -> int:
    """Seconds by which everybody's clock is ahead, so that a day on which providers work (not a Sunday) has just begun:
    customers book it, change it and cancel it while providers serve it."""
    now = datetime.now(UTC)
    day = now.astimezone(ZoneInfo(clock.HOME_ZONE)).date() + timedelta(days=1)
    begins = datetime.combine(_workday(day), _BEGINS, ZoneInfo(clock.HOME_ZONE))
    return int((begins - now).total_seconds())


def _workday(day: date) -> date:
    return day + timedelta(days=1) if day.isoweekday() == 7 else day


def _few_places(config: Path) -> tuple[dict[str, str], dict[str, int]]:
    """Give every pool of the drill's providers few places; the accounts' keys, and the places by pool."""
    document = json.loads(config.read_text(encoding="utf-8"))
    places: dict[str, int] = {}
    for account in document["accounts"]:
        account |= {"confirm_after": 1.5, "report_after": 1.0}
        for pool in account["pools"] if account["code"] in CODES else ():
            pool["capacity"] = places[pool["pool"]] = _PLACES[pool["pattern"]]
    config.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return {account["code"]: account["api_keys"][0] for account in document["accounts"]}, places


def beats(database: DevDatabase, pid: int) -> bool:
    """Whether a worker has said that it works."""
    try:
        with psycopg.connect(database.owner_url, connect_timeout=2) as connection:
            found = connection.execute("SELECT 1 FROM worker_beat WHERE worker LIKE %s", [f"%:{pid}"]).fetchone()
    except psycopg.Error:
        return False
    return found is not None


def _slots_are_here(where: Stage, seconds: float = 180.0) -> None:
    """Wait until the slots of every provider were pulled. Raises CannotDrill."""
    until = time.monotonic() + seconds
    with where.books() as books:
        while books.execute(_PULLED).fetchall()[0][0] < len(CODES):
            if time.monotonic() > until:
                raise CannotDrill(f"No slots to book after {seconds:.0f} seconds.")
            time.sleep(0.1)


def _fleet(
    folder: Path,
    database: DevDatabase,
    webs: list[str],
    sandboxes: Mapping[str, str],
    files: Mapping[str, Path],
    proxy: Proxy,
) -> Fleet:
    """Two web servers of one process each: a kill takes one, and customers go on with the other. All reach the database
    through the proxy."""
    logs = folder / "logs"
    logs.mkdir()
    template = processes.Options.read(os.environ).web_command
    commands: dict[str, list[str]] = {}
    ready: dict[str, Callable[[int], bool]] = {}
    for name, module in ((SANDBOX, "providers.sandbox"), (DAYS, "providers.sandbox.day_capacity")):
        play = ["--port", str(_port(sandboxes[name])), "--data", str(folder / name), "--config", str(files[name])]
        commands[name] = [sys.executable, "-m", module, *play]
        ready[name] = partial(_plays, sandboxes[name])
    for name, url in zip(WEBS, webs, strict=True):
        commands[name] = processes.web_command(template, host="127.0.0.1", port=_port(url), workers=1)
        ready[name] = partial(serves, url)
    for name in WORKERS:
        commands[name] = [sys.executable, "-m", "booking.worker"]
        ready[name] = partial(beats, database)
    environment = {
        **os.environ,
        "DATABASE_URL": through_proxy(database.database_url, proxy),
        "PUBLIC_URL": webs[0],
        "OUTBOX_LEASE_SECONDS": str(_LEASE),
        "PYTHONUNBUFFERED": "1",
    }
    return Fleet(database=database, environment=environment, logs=logs, commands=commands, ready=ready)


def _port_of_database(url: str) -> int:
    return int(make_url(url).port or 5432)


def through_proxy(url: str, proxy: Proxy) -> str:
    """The address of the database, past which everything goes through the proxy."""
    return make_url(url).set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


def _plays(url: str, _pid: int) -> bool:
    return answers(f"{url}/_control/health")


def serves(url: str, _pid: int) -> bool:
    return answers(f"{url}/healthz")
