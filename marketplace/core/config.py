"""Settings, read once from the environment.

Every setting has a development default except in production (`ANXIANG_ENV=production`), where a missing secret is
an error at start, never a silent default.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from marketplace.core import keyring
from marketplace.core.keyring import Key

ROOT = Path(__file__).resolve().parents[2]


class ConfigError(Exception):
    """A setting is missing or cannot be used; the message is one sentence for the person who starts the program."""


@dataclass(frozen=True)
class Settings:
    """All settings of one process.

    `database_url` is the application's role; `owner_url` is the role that owns the tables and runs migrations.
    `leader_database_url` leads past a pooler to the same database; "" when there is none. A statement is prepared after
    `prepare_threshold` uses: 0 never, None as suits the connection.
    `second_factor_required`: operators sign in with one besides the password, set up at the first sign-in.
    A session that stands unused for `operator_idle_minutes`, `escort_idle_minutes` (a provider's members in the role
    `escort`) or `customer_idle_days` is over.
    `allowed_hosts`: the names that a request may give as ours (a leading dot: with all below it); empty: any.
    An answer of the database is waited for `web_answer_seconds` in a request, else `answer_seconds`. A worker ends
    itself when its heartbeat is `overdue_seconds` late or a job stands still for `still_seconds`; a leader that asks
    nothing for `leader_silent_seconds` leads no more.
    `loopback_urls`: a URL that somebody outside gave may lead to this machine itself; never in production.
    While a provider is certified, a worker receives the events of its tests at `conformance_listen` (HOST:PORT), which
    is reached from outside as `conformance_url`; "": only from providers on this machine.
    `audit_heads_file` is where the heads of the audit's chain go; None: nowhere.
    A worker answers Prometheus at `metrics_host` and `metrics_port` (0: nowhere), the web to who shows `metrics_token`.
    What was booked must be stored for `process_years` after the service, results for `medical_years` (0: no longer than
    its customer wants), and no longer than `report_years` anyway; the other limits of age (0: none) have their reasons
    in booking/personal/tables.
    `stream_url`: the origin of the process that delivers streams, blank where a proxy shows it at the pages' own.
    `master_keys` wrap per-person and per-report keys, `index_keys` key the blind indexes: the first is the one in use,
    the others are on their way out (docs/keys.md). `secret_key` signs cookies and forms; what was signed with one of
    `secret_key_fallbacks` is still believed.
    """

    env: str
    database_url: str
    owner_url: str
    secret_key: str
    master_keys: tuple[Key, ...]
    index_keys: tuple[Key, ...]
    insurer_code: str
    public_url: str
    sms_backend: str
    email_backend: str
    smtp_url: str
    email_from: str
    state_dir: Path
    leader_database_url: str = ""
    pool_size: int = 16
    answer_seconds: float = 12.0
    web_answer_seconds: float = 3.5
    overdue_seconds: int = 60
    still_seconds: int = 900
    leader_silent_seconds: int = 15
    prepare_threshold: int | None = None
    second_factor_required: bool = False
    operator_idle_minutes: int = 30
    escort_idle_minutes: int = 600
    customer_idle_days: int = 14
    trusted_proxies: int = 0
    allowed_hosts: tuple[str, ...] = ()
    loopback_urls: bool = False
    secret_key_fallbacks: tuple[str, ...] = ()
    outbox_lease_seconds: int = 30
    reconcile_seconds: int = 240
    audit_heads_file: Path | None = None
    metrics_port: int = 0
    metrics_host: str = "127.0.0.1"
    metrics_token: str = ""
    process_years: int = 3
    medical_years: int = 15
    report_years: int = 30
    session_days: int = 400
    code_days: int = 1
    notice_days: int = 400
    delivery_days: int = 90
    list_days: int = 30
    call_count_days: int = 30
    conformance_listen: str = ""
    conformance_url: str = ""
    stream_url: str = ""

    @property
    def development(self) -> bool:
        """True for development and tests: printing codes and issuing tokens from the shell is allowed."""
        return self.env in ("development", "test")


def state_dir() -> Path:
    """Where development keeps its keys, database and sandbox ledgers (`ANXIANG_STATE_DIR`, else `var/`)."""
    return Path(os.environ.get("ANXIANG_STATE_DIR") or ROOT / "var")


def _secret(name: str) -> str:
    """A setting that is better not in the environment: `NAME`, else the file that `NAME_FILE` names, "" without
    either. Raises ConfigError when the file can't be read, or both are set."""
    given, file = os.environ.get(name, ""), os.environ.get(f"{name}_FILE", "")
    if not file:
        return given
    if given:
        raise ConfigError(f"{name} and {name}_FILE are both set: one of them must go.")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as failed:
        raise ConfigError(f"{name}_FILE names a file that cannot be read ({type(failed).__name__}).") from failed


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return default
    try:
        value = int(text)
    except ValueError as bad:
        raise ConfigError(f"{name} must be a whole number, not {text!r}.") from bad
    if value < 0:
        raise ConfigError(f"{name} must not be negative.")
    return value


def _address(name: str) -> str:
    """HOST:PORT, or "" where it is not set."""
    text = os.environ.get(name, "")
    host, _colon, port = text.rpartition(":")
    if text and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(f"{name} must be HOST:PORT, not {text!r}.")
    return text


def _choice(name: str, allowed: tuple[str, ...], default: str) -> str:
    value = os.environ.get(name) or default
    if value not in allowed:
        raise ConfigError(f"{name} must be {' or '.join(allowed)}, not {value!r}.")
    return value


def _limit(name: str, default: int) -> int:
    value = _number(name, default)
    if value == 0:
        raise ConfigError(f"{name} must be more than 0: it is how long something is waited for.")
    return value


def _within(name: str, default: int, *, most: int) -> int:
    value = _number(name, default)
    if not 1 <= value <= most:
        raise ConfigError(f"{name} must be between 1 and {most}.")
    return value


def _keys(plural: str, stored: Mapping[str, str]) -> tuple[Key, ...]:
    """The keys of MASTER_KEYS or INDEX_KEYS, then the one of MASTER_KEY or INDEX_KEY. Where the environment gives
    either, what development stored is not used."""
    single = plural.removesuffix("S")
    given: Mapping[str, str] = {name: _secret(name) for name in (plural, single)}
    given = given if any(given.values()) else stored
    try:
        keys = keyring.parse(given[plural], plural) if given.get(plural) else ()
        if given.get(single):
            keys = (*keys, keyring.single(given[single], single))
        keyring.refuse_twins(keys, f"{plural} with {single}")
    except keyring.BadKey as bad:
        raise ConfigError(str(bad)) from bad
    if not keys:
        raise ConfigError(
            f"{plural} is not set: give id:key, the key 32 random bytes as base64 (`openssl rand -base64 32`),"
            f" or {single} with a key alone."
        )
    return keys


def _fallbacks(secret_key: str, stored: Mapping[str, str]) -> tuple[str, ...]:
    """The earlier secrets, separated by blanks."""
    text = _secret("SECRET_KEY_FALLBACKS") or stored.get("SECRET_KEY_FALLBACKS", "")
    return tuple(one for one in text.split() if one != secret_key)


def _development_keys(folder: Path) -> dict[str, str]:
    """Keys made once per checkout, so that a second start can read what the first one encrypted."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "keys.json"
    if not path.exists():
        fresh = {
            name: keyring.text_of([Key("k1", secrets.token_bytes(keyring.BYTES))])
            for name in ("MASTER_KEYS", "INDEX_KEYS")
        }
        fresh["SECRET_KEY"] = secrets.token_urlsafe(32)
        draft = folder / f"keys.{os.getpid()}.tmp"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(fresh))
        try:
            os.link(draft, path)  # the first of two starts wins, the other reads what it wrote
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    stored: dict[str, str] = json.loads(path.read_text())
    return stored


def _env() -> str:
    env = os.environ.get("ANXIANG_ENV", "production")
    if env not in ("development", "test", "production"):
        raise ConfigError(f"ANXIANG_ENV must be development, test or production, not {env!r}.")
    return env


def _database_url() -> str:
    url = _secret("DATABASE_URL")
    if not url:
        raise ConfigError("DATABASE_URL is not set. For development, `make run` starts a database of its own.")
    return url


def _lease(env: str) -> int:
    lease = _number("OUTBOX_LEASE_SECONDS", 30)
    if env == "production" and lease <= 20:
        raise ConfigError("OUTBOX_LEASE_SECONDS must be more than 20: a call takes up to ten, and settling follows.")
    return lease


def _secret_key(stored: Mapping[str, str]) -> str:
    secret_key = _secret("SECRET_KEY") or stored.get("SECRET_KEY", "")
    if not secret_key:
        raise ConfigError("SECRET_KEY is not set: give a long random text.")
    return secret_key


def _prepare_threshold() -> int | None:
    name = "DATABASE_PREPARE_THRESHOLD"
    return _number(name, 0) if name in os.environ else None


def _second_factor_required(env: str) -> bool:
    usual = "required" if env == "production" else "optional"
    return _choice("OPERATOR_SECOND_FACTOR", ("required", "optional"), usual) == "required"


def loopback_urls() -> bool:
    """`Settings.loopback_urls`, for what runs with nothing configured. Raises ConfigError."""
    return _env() != "production" and _choice("LOOPBACK_URLS", ("allowed", "refused"), "allowed") == "allowed"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Raises ConfigError with one clear sentence."""
    env = _env()
    folder = state_dir()
    stored = _development_keys(folder) if env != "production" else {}
    database_url = _database_url()
    lease = _lease(env)
    secret_key = _secret_key(stored)
    public_url = os.environ.get("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
    return Settings(
        env=env,
        database_url=sqlalchemy_url(database_url),
        owner_url=sqlalchemy_url(_secret("DATABASE_OWNER_URL") or database_url),
        secret_key=secret_key,
        master_keys=_keys("MASTER_KEYS", stored),
        index_keys=_keys("INDEX_KEYS", stored),
        insurer_code=os.environ.get("INSURER_CODE", "demo"),
        public_url=public_url,
        sms_backend=os.environ.get("SMS_BACKEND", "print" if env != "production" else ""),
        email_backend=os.environ.get("EMAIL_BACKEND", "print" if env != "production" else ""),
        smtp_url=_secret("SMTP_URL"),
        email_from=os.environ.get("EMAIL_FROM", ""),
        state_dir=folder,
        leader_database_url=sqlalchemy_url(_secret("LEADER_DATABASE_URL")),
        pool_size=_number("DATABASE_POOL_SIZE", 16),
        answer_seconds=_limit("DATABASE_ANSWER_MS", _statement_timeout() + 2_000) / 1000,
        web_answer_seconds=_limit("WEB_DATABASE_ANSWER_MS", 3_500) / 1000,
        overdue_seconds=_limit("WORKER_OVERDUE_SECONDS", 60),
        still_seconds=_limit("WORKER_STILL_SECONDS", 900),
        leader_silent_seconds=_limit("LEADER_SILENT_SECONDS", 15),
        prepare_threshold=_prepare_threshold(),
        second_factor_required=_second_factor_required(env),
        operator_idle_minutes=_within("OPERATOR_IDLE_MINUTES", 30, most=24 * 60),
        escort_idle_minutes=_within("ESCORT_IDLE_MINUTES", 600, most=24 * 60),
        customer_idle_days=_within("CUSTOMER_IDLE_DAYS", 14, most=366),
        trusted_proxies=_number("TRUSTED_PROXIES", 0),
        allowed_hosts=_allowed_hosts(public_url) if env == "production" else (),
        loopback_urls=loopback_urls(),
        secret_key_fallbacks=_fallbacks(secret_key, {} if _secret("SECRET_KEY") else stored),
        outbox_lease_seconds=lease,
        reconcile_seconds=_number("RECONCILE_SECONDS", 240),
        audit_heads_file=_heads_file(env, folder),
        metrics_port=_number("METRICS_PORT", 0),
        metrics_host=os.environ.get("METRICS_HOST", "127.0.0.1"),
        metrics_token=_metrics_token(),
        process_years=_number("RETENTION_PROCESS_YEARS", 3),
        medical_years=_number("RETENTION_MEDICAL_YEARS", 15),
        report_years=_number("RETENTION_REPORT_YEARS", 30),
        session_days=_number("RETENTION_SESSION_DAYS", 400),
        code_days=_number("RETENTION_CODE_DAYS", 1),
        notice_days=_number("RETENTION_NOTICE_DAYS", 400),
        delivery_days=_number("RETENTION_DELIVERY_DAYS", 90),
        list_days=_number("RETENTION_LIST_DAYS", 30),
        call_count_days=_number("RETENTION_CALL_COUNT_DAYS", 30),
        conformance_listen=_address("CONFORMANCE_LISTEN"),
        conformance_url=os.environ.get("CONFORMANCE_WEBHOOK_URL", ""),
        stream_url=_stream_url(),
    )


def _stream_url() -> str:
    """STREAM_URL: where streams come from if not from the pages' own address, such as `http://127.0.0.1:8020`."""
    given = os.environ.get("STREAM_URL", "").rstrip("/")
    if given and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", given):
        raise ConfigError("STREAM_URL must be http(s)://HOST[:PORT], without a path.")
    return given


def _metrics_token() -> str:
    token = _secret("METRICS_TOKEN")
    if token and len(token) < 20:
        raise ConfigError("METRICS_TOKEN must have at least 20 characters: it is all that keeps strangers out.")
    return token


def _heads_file(env: str, folder: Path) -> Path | None:
    """AUDIT_HEADS_FILE; in development a file of the state folder."""
    named = os.environ.get("AUDIT_HEADS_FILE", "")
    if named:
        return Path(named)
    return folder / "audit-heads" if env == "development" else None


def _allowed_hosts(public_url: str) -> tuple[str, ...]:
    """ALLOWED_HOSTS, else the host of PUBLIC_URL; this machine's own names always, for whoever asks whether we live."""
    named = [name.strip() for name in os.environ.get("ALLOWED_HOSTS", "").split(",")]
    ours = [name for name in named if name] or [urlsplit(public_url).hostname or ""]
    return tuple(dict.fromkeys([*(name for name in ours if name), "127.0.0.1", "localhost", "[::1]"]))


def _statement_timeout() -> int:
    return _number("STATEMENT_TIMEOUT_MS", 10_000)


def role_settings() -> dict[str, str]:
    """What PostgreSQL is told about the application's role, once, by `ALTER ROLE … SET`; times in milliseconds."""
    return {
        "statement_timeout": str(_statement_timeout()),
        "lock_timeout": str(_number("LOCK_TIMEOUT_MS", 3_000)),  # less than a web request waits for an answer
        "idle_in_transaction_session_timeout": "15000",  # nothing but us is waited for in one: its client is lost
        # The server's end of a connection whose other end has gone; without a socket's options they are ignored.
        "client_connection_check_interval": "1000",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "15000",
        "timezone": "UTC",
    }


def sqlalchemy_url(url: str) -> str:
    """`postgres://…` and `postgresql://…` as SQLAlchemy wants them, with the psycopg 3 driver."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url[len(scheme) :]
    return url
