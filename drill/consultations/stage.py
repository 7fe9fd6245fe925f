"""Where the consultations take place: a database that notes when rows were written, an offer, clinicians, customers,
web servers and workers, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import select

from drill.consultations.outside import SANDBOX, Outside, furnish
from drill.consultations.plan import CLOCKS, PLEDGED, WORKERS, Setting
from drill.rig.fleet import Fleet
from drill.rig.plan import POSTGRESQL, WEBS
from drill.rig.stage import Person, beats, serves
from marketplace.catalog.importer import import_sites
from marketplace.catalog.models import Offer, Provider
from marketplace.core import clock, migrate
from marketplace.core.config import ROOT, settings
from marketplace.core.database import db
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.demo import people
from marketplace.demo.consultations import KIND, PACKAGE, load_consultations
from marketplace.demo.desk import PROVIDER, load_desk
from marketplace.demo.hospital import HOSPITAL
from marketplace.demo.offers import SAMPLE_SITES
from marketplace.development import processes
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import APPLICATION, SUPERUSER, free_port
from providers.staff import shifts
from providers.staff.models import Clinician
from vip.models import Operator
from vip.principal import Member

DEPARTMENTS: Sequence[str] = tuple(each["code"] for each in PACKAGE["departments"])
_LANGUAGES = tuple(PACKAGE["languages"])
_UNITS = 3
_UNLIMITED = 5
"""One of so many customers may ask without limit: then a breach gives nothing, and is written down all the same."""
_ONE_IN = 4
"""One of so many clinicians answers in one department only; the others in all."""


@dataclass
class Clinic:
    """Everything that the drill needs to know. The first of the clinicians leads the shift, and sees all that waits."""

    folder: Path
    database: DevDatabase
    fleet: Fleet
    webs: list[str]
    people: list[Person]
    clinicians: list[Member]
    offer: str
    outside: Outside | None = None
    """The provider's system, where its own clinicians answer."""

    @property
    def journal(self) -> Path:
        """Where it is recorded what was acknowledged."""
        return self.folder / "journal.jsonl"


@contextmanager
def clinic(setting: Setting) -> Iterator[Clinic]:
    """A clinic with everything up; it changes this process's environment, like any program that runs the product."""
    with tempfile.TemporaryDirectory(prefix="anxiang-consultations-") as name:
        folder = Path(name)
        with DevDatabase(folder / POSTGRESQL, ephemeral=True, fsync=True) as database:
            _note_when_rows_are_written(database)
            os.environ.update(
                ANXIANG_ENV="development",
                ANXIANG_STATE_DIR=str(folder / "state"),
                DATABASE_URL=database.database_url,
                DATABASE_OWNER_URL=database.owner_url,
            )
            for unwanted in ("CLOCK_OFFSET_SECONDS", "PYTHONDONTWRITEBYTECODE"):
                os.environ.pop(unwanted, None)
            settings.cache_clear()
            db.forget_engines()
            migrate.upgrade(database.owner_url, application_role=APPLICATION)
            processes.compile_translations(ROOT / "marketplace" / "web" / "translations")
            made = _furnish(folder, database, setting)
            try:
                for name in made.fleet.commands:
                    made.fleet.start(name)
                made.fleet.wait_until_up()
                yield made
            finally:
                made.fleet.end()
                db.forget_engines()


def _note_when_rows_are_written(database: DevDatabase) -> None:
    with psycopg.connect(database.url("postgres", role=SUPERUSER), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    database.kill()  # it is read at a start
    database.start()


def _furnish(folder: Path, database: DevDatabase, setting: Setting) -> Clinic:
    now = clock.now()
    people.load_people(now)
    import_sites(SAMPLE_SITES, True, None)
    load_desk(now)
    load_consultations(now)
    webs = [f"http://127.0.0.1:{free_port()}" for _ in WEBS]
    outside = None
    if setting.clinicians_at == "outside":
        here = (f"http://127.0.0.1:{free_port()}", f"{webs[0]}/partner/v1/webhooks")
        outside = furnish(*here, database.owner_url, setting, now)
    unlimited = setting.consultations // _UNLIMITED
    made = people.make_customers(unlimited, KIND, None, now) if unlimited else []
    made += people.make_customers(setting.consultations - unlimited, KIND, _UNITS, now)
    with reading() as session:
        offer = session.scalars(
            select(Offer.public_id)
            .join(Provider, Provider.id == Offer.provider_id)
            .where(Provider.code == (PROVIDER if outside is None else HOSPITAL), Offer.kind == KIND)
        ).one()
    if setting.pledged != PLEDGED:
        _promise(database, offer, setting.pledged)
    clinicians = make_clinicians(setting, now) if outside is None else []
    db.forget_engines()
    return Clinic(
        folder=folder,
        database=database,
        fleet=_fleet(folder, database, webs, setting, outside),
        webs=webs,
        people=[Person(one.customer_public_id, one.token) for one in made],
        clinicians=clinicians,
        offer=offer,
        outside=outside,
    )


def _promise(database: DevDatabase, offer: str, seconds: int) -> None:
    """A promise of so many seconds: fewer than a provider may give, for a drill that is over soon."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE offer SET package = jsonb_set(package, '{pledge_seconds}', to_jsonb(%s::int)) WHERE public_id = %s",
            [seconds, offer],
        )


def make_clinicians(setting: Setting, now: datetime) -> list[Member]:
    """Verified clinicians on shift, the first one leading it."""
    made = []
    with transaction() as session:
        provider = session.scalars(select(Provider).where(Provider.code == PROVIDER)).one()
        for number in range(setting.clinicians):
            login = f"drill-{number:03d}"
            account = Operator(
                public_id=new_id("mbr"),
                provider_id=provider.id,
                login=login,
                name=f"医生{number:03d}",
                role="clinician",
                password_hash="x",  # noqa: S106 (nobody signs in with it)
            )
            session.add(account)
            session.flush()
            only = number % _ONE_IN == _ONE_IN - 1
            session.add(
                Clinician(
                    member_id=account.id,
                    provider_id=provider.id,
                    shown_name=account.name,
                    title_zh="主治医师",
                    title_en="Attending physician",
                    licence=f"1103100000{number:05d}",
                    departments=[DEPARTMENTS[number // _ONE_IN % len(DEPARTMENTS)]] if only else [DEPARTMENTS[0]],
                    languages=list(_LANGUAGES),
                    lead=number == 0,
                    verified_at=now,
                    verified_by=account.id,
                    created_at=now,
                    updated_at=now,
                )
            )
            zone = provider.time_zone
            made.append(Member(account.id, account.public_id, provider.id, 0, zone, "clinician"))
    for member in made:
        shifts.begin(member, now=now, capacity=setting.at_once)
    return made


def _fleet(
    folder: Path, database: DevDatabase, webs: Sequence[str], setting: Setting, outside: Outside | None
) -> Fleet:
    logs = folder / "logs"
    logs.mkdir()
    template = processes.Options.read(os.environ).web_command
    commands: dict[str, list[str]] = {}
    ready: dict[str, Callable[[int], bool]] = {}
    for name, url in zip(WEBS, webs, strict=True):
        port = int(url.rsplit(":", 1)[1])
        commands[name] = processes.web_command(template, host="127.0.0.1", port=port, workers=1)
        ready[name] = partial(serves, url)
    if outside is not None:
        commands[SANDBOX], ready[SANDBOX] = outside.command, outside.up
    ahead: dict[str, Mapping[str, str]] = {}
    for place, name in enumerate(WORKERS[: setting.workers]):
        commands[name] = [sys.executable, "-m", "booking.worker"]
        ready[name] = partial(beats, database)
        if setting.workers == len(CLOCKS):
            ahead[name] = {"CLOCK_OFFSET_SECONDS": str(CLOCKS[place])}
    environment = {
        **os.environ,
        "DATABASE_URL": database.database_url,
        "PUBLIC_URL": webs[0],
        "PYTHONUNBUFFERED": "1",
    }
    return Fleet(database=database, environment=environment, logs=logs, commands=commands, ready=ready, settings=ahead)
