"""Demonstration offers for development: four invented providers, played by the sandboxes, sell check-ups at the sites;
two more are reached there, who answer consultations and send escorts.

They stand at the invented sample sites, or, as soon as other tier-3A hospitals are loaded, at all of those; the sample
sites are closed then. Running it again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.calls.connections import CALL_RECORD, WEBHOOK_RECORD
from marketplace.catalog.importer import read_file
from marketplace.catalog.kinds import kind
from marketplace.catalog.models import Provider
from marketplace.catalog.one_place.suits import unsuited_by
from marketplace.core import crypto
from marketplace.core.config import ROOT, settings
from marketplace.core.database.db import transaction
from marketplace.core.errors import Refusal
from marketplace.core.ids import new_id
from marketplace.demo.config import Secrets, provider_secrets, write_config
from marketplace.demo.hospital import HOSPITAL, NAME_EN, NAME_ZH, consulting
from marketplace.demo.outside_escorts import SENDER, SENDER_EN, SENDER_ZH, sending
from providers.conformance.certificates.issue import give_provisional
from providers.conformance.step import Capability

SAMPLE_SITES = ROOT / "data" / "sample-sites.csv"
PACKAGES = ROOT / "data" / "demo-packages.json"
KIND = "health_check"
_TIER = "三级甲等"
_LOCK = 0x4F464652  # "OFFR": one placing at a time
_BATCH = 500


class NotInProduction(Refusal):
    """Demonstration data is for development and tests alone."""

    code = "not_in_production"
    status = 403


@dataclass(frozen=True)
class DemoProvider:
    """A provider of the demonstration. `manner` and `pattern` are the sandbox's words for how it answers and how its
    days are divided; `price_percent` is its price level. `poll_seconds` and `slots_seconds` are set once."""

    code: str
    name_zh: str
    name_en: str
    manner: str
    pattern: str
    price_percent: int
    adapter: str = "open_protocol"
    poll_seconds: int = 15
    slots_seconds: int = 60


PROVIDERS = (
    DemoProvider("hexin", "和馨健康（示范）", "Hexin Health (demo)", "prompt", "half_hourly", 100),
    DemoProvider("mingde", "明德体检（示范）", "Mingde Check-ups (demo)", "deliberate", "four_a_day", 110),
    DemoProvider("yunshan", "云山医务（示范）", "Yunshan Medical (demo)", "moody", "day", 90),
)
BY_DAY = DemoProvider(
    "qinghe", "青禾健康（示范）", "Qinghe Health (demo)", "deliberate", "day", 95, "day_capacity", 5, 300
)
"""Played by the sandbox of the day-capacity interface, if that runs: it has a quarter of the sites."""

ONLINE = DemoProvider(HOSPITAL, NAME_ZH, NAME_EN, "prompt", "half_hourly", 100)
"""Its doctors answer consultations (marketplace.demo.consultations); it sells no check-ups."""

SENDS = DemoProvider(SENDER, SENDER_ZH, SENDER_EN, "prompt", "half_days", 100)
"""Its people go with patients (marketplace.demo.outside_escorts); it sells no check-ups either."""
PROVED = {ONLINE: (Capability.CONSULTATIONS,), SENDS: (Capability.ESCORTS,)}
"""Who sells no check-ups, and what is taken on trust of them here alone."""


@dataclass(frozen=True)
class DemoPackage:
    """A package as sold; `package` follows the schema of its kind."""

    code: str
    name_zh: str
    name_en: str
    price_minor: int
    package: Mapping[str, Any]


@dataclass(frozen=True)
class DemoOffers:
    """What stands now, and how many offers this run `added` or `changed`. `config` is the sandbox's file, `day_config`
    that of the sandbox of the day-capacity interface."""

    sites: int
    pools: int
    offers: int
    added: int
    changed: int
    config: Path
    day_config: Path | None


@dataclass(frozen=True)
class _Place:
    """A pool of a provider at a site, and the codes of the packages sold there."""

    provider: str
    site_id: int
    pool: str
    packages: tuple[str, ...]


def place_offers(
    *,
    sandbox_url: str,
    webhooks_url: str,
    now: datetime,
    day_sandbox_url: str | None = None,
    auto: Mapping[str, float] | None = None,
    most_sites: int | None = None,
) -> DemoOffers:
    """Make the providers, their pools and offers, and write the sandboxes' configurations into the state directory.

    A provider is reached at `sandbox_url`/p/CODE and sends its webhooks to `webhooks_url`/CODE; the one that gives out
    places per day is reached at `day_sandbox_url`/p/CODE, and is not there without it. `auto`: seconds after which the
    sandbox takes the steps check_in, start and fulfil by itself (none: only by its control).
    Raises NotInProduction.
    """
    if not settings().development:
        raise NotInProduction()
    folder = settings().state_dir / "sandbox"
    packages = demo_packages()
    with transaction() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        at_sandbox = (*PROVIDERS, ONLINE, SENDS)
        everyone = at_sandbox if day_sandbox_url is None else (*at_sandbox, BY_DAY)
        secrets = provider_secrets(folder, [provider.code for provider in everyone])
        sites = _open_sites(session, now)[:most_sites]
        places = [_place(site_id, key, packages, day_sandbox_url is not None) for site_id, key in sites]
        urls = {BY_DAY.code: day_sandbox_url or ""}
        ids = {
            each.code: _provider(session, each, urls.get(each.code, sandbox_url), secrets[each.code])
            for each in everyone
        }
        added = changed = 0
        for provider in everyone:
            own = [place for place in places if place.provider == provider.code]
            if provider not in PROVED:
                more, other = _place_at(session, ids[provider.code], own, _priced(packages, provider))
                added, changed = added + more, changed + other
            give_provisional(session, ids[provider.code], now=now, also=PROVED.get(provider, ()))
        plays = {ONLINE: {"consultations": consulting()}, SENDS: sending(session)}
        accounts = [
            {**_account(each, places, packages, webhooks_url, auto), **plays.get(each, {})} for each in at_sandbox
        ]
        config = write_config(folder, accounts, secrets)
        day_config = None
        if day_sandbox_url is not None:
            account = {**_account(BY_DAY, places, packages, webhooks_url, auto), "webhook_url": ""}
            day_config = write_config(folder, [account], secrets, "day-config.json")
    offers = sum(len(place.packages) for place in places)
    return DemoOffers(len(sites), len(places), offers, added, changed, config, day_config)


def demo_packages() -> dict[str, DemoPackage]:
    """The packages of the demonstration by code; each follows the schema of its kind."""
    document = json.loads(PACKAGES.read_text(encoding="utf-8"))
    result = {}
    for entry in document["packages"]:
        items = [
            {"code": code, "name_zh": document["items"][code]["zh"], "name_en": document["items"][code]["en"]}
            for code in entry["items"]
        ]
        rules = ("sex", "age_min", "age_max", "duration_minutes", "fasting", "preparation")
        package = {**{name: entry[name] for name in rules}, "items": items}
        kind(KIND).check_package(package)
        made = DemoPackage(entry["code"], entry["name_zh"], entry["name_en"], entry["price_minor"], package)
        result[made.code] = made
    return result


def _open_sites(session: Session, now: datetime) -> list[tuple[int, str]]:
    """(id, key) of the sites to sell at, in a stable order; opens and closes the sample sites accordingly. None where
    the kind of place can't do it."""
    sample = {row.key for row in read_file(SAMPLE_SITES)[0]}
    rows = session.execute(text("SELECT id, province, city, name, tier, kind, closed_at FROM site")).all()
    invented = [row for row in rows if (row.province, row.city, row.name) in sample]
    listed = [row for row in rows if row.tier == _TIER and unsuited_by(KIND, row.kind, row.name) is None]
    real = [row for row in listed if (row.province, row.city, row.name) not in sample]
    wrong = [row.id for row in invented if (row.closed_at is None) == bool(real)]
    if wrong:
        session.execute(
            text("UPDATE site SET closed_at = :at, updated_at = :now WHERE id = ANY(:ids)"),
            {"at": now if real else None, "now": now, "ids": wrong},
        )
    chosen = [row for row in real if row.closed_at is None] or invented
    return sorted(((row.id, f"{row.province}|{row.city}|{row.name}") for row in chosen), key=lambda pair: pair[1])


def _place(site_id: int, key: str, packages: Mapping[str, DemoPackage], by_day: bool) -> _Place:
    """Which provider sells what at a site: by a hash of its key, so that it stays so in every database."""
    digest = hashlib.sha256(key.encode()).digest()
    provider = PROVIDERS[digest[0] % len(PROVIDERS)].code
    if by_day and digest[2] % 4 == 0:
        provider = BY_DAY.code
    basic, *others = packages
    others.sort(key=lambda code: hashlib.sha256(digest + code.encode()).digest())
    chosen = {basic, *others[: 2 + digest[1] % 3]}
    return _Place(provider, site_id, "s" + digest.hex()[:16], tuple(code for code in packages if code in chosen))


def _priced(packages: Mapping[str, DemoPackage], provider: DemoProvider) -> list[dict[str, Any]]:
    return [
        {
            "code": each.code,
            "name_zh": each.name_zh,
            "name_en": each.name_en,
            "price_minor": each.price_minor * provider.price_percent // 10_000 * 100,
            "package": each.package,
        }
        for each in packages.values()
    ]


def _provider(session: Session, demo: DemoProvider, sandbox_url: str, secrets: Secrets) -> int:
    """The provider's id; made, or put right where it differs. Sealed secrets stay if they open to the same text."""
    provider = session.scalar(select(Provider).where(Provider.code == demo.code))
    if provider is None:
        provider = Provider(public_id=new_id("prv"), code=demo.code, settings={"app_key": demo.code})
        provider.poll_seconds, provider.slots_seconds = demo.poll_seconds, demo.slots_seconds
        session.add(provider)
    provider.name_zh, provider.name_en = demo.name_zh, demo.name_en
    provider.adapter, provider.base_url = demo.adapter, f"{sandbox_url.rstrip('/')}/p/{demo.code}"
    record = CALL_RECORD.format(demo.code)
    if not _opens_to(provider.secret_sealed, record, secrets.api_key):
        provider.secret_sealed = crypto.seal_master(secrets.api_key, record)
    record = WEBHOOK_RECORD.format(demo.code)
    known = provider.webhook_secrets_sealed or []
    if len(known) != 1 or not _opens_to(known[0], record, secrets.webhook_secret):
        provider.webhook_secrets_sealed = [crypto.seal_master(secrets.webhook_secret, record)]
    session.flush()
    return provider.id


def _opens_to(sealed: bytes | None, record: str, expected: str) -> bool:
    opened = None if sealed is None else crypto.open_master(sealed, record)
    return opened is not None and opened[1] == expected.encode()


def _place_at(
    session: Session, provider_id: int, places: Sequence[_Place], packages: Sequence[Mapping[str, Any]]
) -> tuple[int, int]:
    """Pools and offers of one provider; returns the numbers of offers added and changed. Offers that no longer belong
    to the demonstration are taken off sale, never removed: bookings stand on them."""
    added = changed = 0
    offered: list[str] = []
    priced = json.dumps(packages, ensure_ascii=False)
    for batch in _batches(places):
        pairs = [(place.pool, code) for place in batch for code in place.packages]
        refs = [f"{pool}-{code}" for pool, code in pairs]
        offered.extend(refs)
        session.execute(
            text(_POOLS),
            {
                "provider": provider_id,
                "public_ids": [new_id("pool") for _ in batch],
                "sites": [place.site_id for place in batch],
                "pools": [place.pool for place in batch],
            },
        )
        values = {
            "provider": provider_id,
            "public_ids": [new_id("ofr") for _ in refs],
            "refs": refs,
            "pools": [pool for pool, _ in pairs],
            "codes": [code for _, code in pairs],
            "packages": priced,
            "kind": KIND,
        }
        changed += len(session.execute(text(_CHANGE), values).all())
        added += len(session.execute(text(_ADD), values).all())
    changed += len(session.execute(text(_END), {"provider": provider_id, "refs": offered}).all())
    return added, changed


def _batches(places: Sequence[_Place]) -> Iterator[Sequence[_Place]]:
    for start in range(0, len(places), _BATCH):
        yield places[start : start + _BATCH]


_POOLS = """
  INSERT INTO capacity_pool (public_id, provider_id, site_id, external_ref)
  SELECT w.public_id, :provider, w.site_id, w.pool
    FROM unnest(CAST(:public_ids AS text[]), CAST(:sites AS bigint[]), CAST(:pools AS text[]))
      AS w(public_id, site_id, pool)
   WHERE NOT EXISTS (SELECT FROM capacity_pool c WHERE c.provider_id = :provider AND c.external_ref = w.pool)"""

_WANTED = """
  unnest(CAST(:public_ids AS text[]), CAST(:refs AS text[]), CAST(:pools AS text[]), CAST(:codes AS text[]))
    AS w(public_id, ref, pool, code)
  JOIN jsonb_to_recordset(CAST(:packages AS jsonb))
    AS k(code text, name_zh text, name_en text, price_minor bigint, package jsonb) ON k.code = w.code"""

_ADD = f"""
  INSERT INTO offer (public_id, provider_id, site_id, pool_id, kind, external_ref, name_zh, name_en, package,
                     price_minor)
  SELECT w.public_id, :provider, c.site_id, c.id, :kind, w.ref, k.name_zh, k.name_en, k.package, k.price_minor
    FROM {_WANTED} JOIN capacity_pool c ON c.provider_id = :provider AND c.external_ref = w.pool
   WHERE NOT EXISTS (SELECT FROM offer o WHERE o.provider_id = :provider AND o.external_ref = w.ref)
  RETURNING id"""

_END = """
  UPDATE offer SET active = false, version = version + 1
   WHERE provider_id = :provider AND active AND external_ref <> ALL(:refs)
  RETURNING id"""

_CHANGE = f"""
  UPDATE offer o SET name_zh = k.name_zh, name_en = k.name_en, package = k.package, price_minor = k.price_minor,
                     active = true, version = o.version + 1
    FROM {_WANTED}
   WHERE o.provider_id = :provider AND o.external_ref = w.ref
     AND (o.name_zh, o.name_en, o.package, o.price_minor, o.active, CAST(:kind AS text))
         IS DISTINCT FROM (k.name_zh, k.name_en, k.package, k.price_minor, true, o.kind)
  RETURNING o.id"""


def _account(
    provider: DemoProvider,
    places: Sequence[_Place],
    packages: Mapping[str, DemoPackage],
    webhooks_url: str,
    auto: Mapping[str, float] | None,
) -> dict[str, Any]:
    """The provider's account in the sandbox's configuration, without its secrets."""
    return {
        "code": provider.code,
        "manner": provider.manner,
        "auto": dict(auto or {}),
        "webhook_url": f"{webhooks_url.rstrip('/')}/{provider.code}",
        "pools": [
            {
                "pool": place.pool,
                "pattern": provider.pattern,
                "offers": [_rules(f"{place.pool}-{code}", packages[code].package) for code in place.packages],
            }
            for place in places
            if place.provider == provider.code
        ],
    }


def _rules(code: str, package: Mapping[str, Any]) -> dict[str, Any]:
    rules: dict[str, Any] = {"code": code}
    if package["sex"] != "any":
        rules["sex"] = package["sex"]
    if package["age_min"] is not None:
        rules["min_age"] = package["age_min"]
    if package["age_max"] is not None:
        rules["max_age"] = package["age_max"]
    return rules
