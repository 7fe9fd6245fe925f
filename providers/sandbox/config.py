"""What the sandbox is told at start: its accounts, their manners, keys and pools."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from providers.sandbox.consultations.doctors import BadPractice
from providers.sandbox.consultations.practice import Practice, read_practice
from providers.sandbox.escorts.staff import BadStaff
from providers.sandbox.escorts.way import Way, read_way
from providers.sandbox.reports.files import FILES

HOME_ZONE = "Asia/Shanghai"
MANNERS = ("prompt", "deliberate", "moody")
PATTERNS = ("half_hourly", "four_a_day", "half_days", "day")
STEPS = ("check_in", "start", "fulfil")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


class ConfigError(ValueError):
    """The configuration cannot be used; the text says what is wrong and where."""


@dataclass(frozen=True)
class Pool:
    """Capacity that offers draw on. `offers` maps an offer code to its rules (sex, min_age, max_age; all optional);
    `capacity` is the places per slot, None for a figure from a stable hash of the pool's code."""

    code: str
    offers: Mapping[str, Mapping[str, Any]]
    time_zone: str = HOME_ZONE
    pattern: str = "half_hourly"
    capacity: int | None = None


@dataclass
class Account:
    """One provider that this process plays.

    `manner`: prompt (confirms at once), deliberate (202, decides after `confirm_after` seconds), moody (like
    deliberate, but after 0.5 to 3 times as long, refusing some and answering slowly, all by dice from `seed`).
    `report_file` is the form of its reports' files, one of files.FILES, hostile ones among them.
    `auto` maps the steps check_in, start, fulfil to the seconds after the step before, none of them before the
    booking's day; empty: only by control.
    `consultations`: how its doctors answer; `escorts`: whom it sends, and how; None: it has none.
    `test_webhook_url` is where events about test bookings go while somebody tests; never of the file.
    Of the day-capacity server alone: the zone of its times without one, and whether it refuses a second live order
    under the same number of ours.
    """

    code: str
    api_keys: tuple[str, ...]
    manner: str = "prompt"
    webhook_url: str = ""
    webhook_secret: str = ""
    confirm_after: float = 3.0
    report_after: float = 2.0
    auto: Mapping[str, float] = field(default_factory=dict)
    seed: str = "1"
    dice: Mapping[str, float] = field(default_factory=lambda: {"refuse": 0.1, "slow": 0.2, "error_after_commit": 0.0})
    pools: tuple[Pool, ...] = ()
    time_zone: str = HOME_ZONE
    refuse_duplicates: bool = False
    report_file: str = "pdf"
    test_webhook_url: str = ""
    consultations: Practice | None = None
    escorts: Way | None = None

    def sends(self, offer: str) -> bool:
        """Whether the offer is an escort: what she does moves its bookings, and no report comes of them."""
        return self.escorts is not None and offer in self.escorts.offers


def load(path: Path, environ: Mapping[str, str]) -> list[Account]:
    """The accounts of a configuration file; keys, secrets and URLs may come from the environment instead, as
    SANDBOX_<CODE>_API_KEY, SANDBOX_<CODE>_WEBHOOK_SECRET and SANDBOX_<CODE>_WEBHOOK_URL. Raises ConfigError."""
    document = _read(path)
    entries = document.get("accounts") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{path}: needs a list 'accounts' with at least one account")
    accounts = [parse_account(entry, path.parent, environ) for entry in entries]
    if len({account.code for account in accounts}) < len(accounts):
        raise ConfigError(f"{path}: an account's code is used twice")
    return accounts


def parse_account(entry: Any, folder: Path, environ: Mapping[str, str]) -> Account:
    """One account of the file. Raises ConfigError."""
    if not isinstance(entry, dict) or not _CODE.fullmatch(str(entry.get("code", ""))):
        raise ConfigError("an account needs a 'code' of small letters, digits, - or _")
    code = str(entry["code"])
    prefix = "SANDBOX_" + code.upper().replace("-", "_")
    keys = [environ[f"{prefix}_API_KEY"]] if environ.get(f"{prefix}_API_KEY") else list(entry.get("api_keys", ()))
    if not keys or not all(isinstance(key, str) and key for key in keys):
        raise ConfigError(f"account {code}: no API key in the file ('api_keys') nor in {prefix}_API_KEY")
    secret = environ.get(f"{prefix}_WEBHOOK_SECRET", str(entry.get("webhook_secret", "")))
    if secret:
        _check_secret(code, secret)
    account = Account(
        code=code,
        api_keys=tuple(keys),
        webhook_url=environ.get(f"{prefix}_WEBHOOK_URL", str(entry.get("webhook_url", ""))),
        webhook_secret=secret,
        pools=tuple(parse_pools(_pool_entries(entry, folder))),
        time_zone=_zone(f"account {code}", entry),
    )
    settings = {name: entry[name] for name in SETTINGS if name in entry and name != "webhook_url"}
    return _with_places(change_settings(account, settings))


def _with_places(account: Account) -> Account:
    """A pool of escorts has as many places as there are people, if it is not said otherwise."""
    way = account.escorts
    if way is not None:
        account.pools = tuple(
            replace(pool, capacity=sum(each.pool == pool.code for each in way.staff))
            if pool.capacity is None and set(pool.offers) & set(way.offers)
            else pool
            for pool in account.pools
        )
    return account


def _check_secret(code: str, secret: str) -> None:
    try:
        Webhook(secret)
    except (ValueError, EmptyWebhookSecretError) as error:
        raise ConfigError(f"account {code}: the webhook secret is not base64 after 'whsec_'") from error


def _pool_entries(entry: Mapping[str, Any], folder: Path) -> list[Any]:
    pools = list(entry.get("pools", ()))
    if entry.get("pools_file"):
        listed = _read(folder / str(entry["pools_file"]))
        if not isinstance(listed, list):
            raise ConfigError(f"{entry['pools_file']}: must be a list of pools")
        pools.extend(listed)
    return pools


def parse_pools(entries: Any) -> list[Pool]:
    """Pools as in the file: {pool, offers: [code or {code, sex, min_age, max_age}], time_zone, pattern, capacity}."""
    if not isinstance(entries, list):
        raise ConfigError("pools must be a list")
    return [_parse_pool(entry) for entry in entries]


def _parse_pool(entry: Any) -> Pool:
    code = entry.get("pool") if isinstance(entry, dict) else None
    if not isinstance(code, str) or not code or "@" in code or len(code) > 100:
        raise ConfigError(f"a pool needs a code of at most 100 characters without '@', not {code!r}")
    zone = _zone(f"pool {code}", entry)
    pattern = str(entry.get("pattern", "half_hourly"))
    if pattern not in PATTERNS:
        raise ConfigError(f"pool {code}: pattern must be one of {', '.join(PATTERNS)}")
    capacity = entry.get("capacity")
    if capacity is not None and (not isinstance(capacity, int) or capacity < 0):
        raise ConfigError(f"pool {code}: capacity must be a whole number, 0 or more")
    offers: dict[str, Mapping[str, Any]] = {}
    for offer in entry.get("offers", ()):
        rules = offer if isinstance(offer, dict) else {"code": offer}
        offers[str(rules["code"])] = {name: value for name, value in rules.items() if name != "code"}
    return Pool(code, offers, zone, pattern, capacity)


def _zone(whose: str, entry: Mapping[str, Any]) -> str:
    zone = str(entry.get("time_zone", HOME_ZONE))
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"{whose}: unknown time zone {zone!r}") from error
    return zone


SETTINGS = (
    *("manner", "confirm_after", "report_after", "auto", "seed", "dice"),
    *("webhook_url", "refuse_duplicates", "report_file", "consultations", "escorts"),
)


def change_settings(account: Account, settings: Mapping[str, Any]) -> Account:
    """Apply settings to the account in place, also while it runs. Raises ConfigError, then nothing was changed."""
    for name, value in settings.items():
        _check_setting(name, value)
    settings = dict(settings)
    if "consultations" in settings:
        settings["consultations"] = _practice(account, settings["consultations"])
    if "escorts" in settings:
        settings["escorts"] = _way(account, settings["escorts"])
    for name, value in settings.items():
        setattr(account, name, dict(value) if isinstance(value, dict) else value)
    return account


def _practice(account: Account, wish: Any) -> Practice:
    try:
        return read_practice(account.code, wish, account.consultations)
    except BadPractice as error:
        raise ConfigError(f"account {account.code}: {error}") from error


def _way(account: Account, wish: Any) -> Way:
    offers = wish.get("offers") if isinstance(wish, dict) else None
    sold = set(offers) if isinstance(offers, list) and all(isinstance(code, str) for code in offers) else set()
    try:
        pools = [pool.code for pool in account.pools if sold & set(pool.offers)]
        return read_way(account.code, wish, account.escorts, pools)
    except BadStaff as error:
        raise ConfigError(f"account {account.code}: {error}") from error


def _check_setting(name: str, value: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
    if name not in SETTINGS:
        raise ConfigError(f"unknown setting {name!r}")
    if name == "manner" and value not in MANNERS:
        raise ConfigError(f"manner must be one of {', '.join(MANNERS)}")
    if name in ("confirm_after", "report_after") and not number:
        raise ConfigError(f"{name} must be a number of seconds")
    if name == "auto" and (not isinstance(value, dict) or not set(value) <= set(STEPS)):
        raise ConfigError(f"auto maps some of {', '.join(STEPS)} to seconds")
    if name == "report_file" and value not in FILES:
        raise ConfigError(f"report_file must be one of {', '.join(FILES)}")
    if name == "dice" and not isinstance(value, dict):
        raise ConfigError("dice maps refuse, slow and error_after_commit to probabilities")
    if name == "refuse_duplicates" and not isinstance(value, bool):
        raise ConfigError("refuse_duplicates is true or false")
    if name in ("seed", "webhook_url") and not isinstance(value, str):
        raise ConfigError(f"{name} must be text")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {os.strerror(error.errno or 0)}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON ({error})") from error
