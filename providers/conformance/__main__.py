"""python -m providers.conformance: try a provider's system against the contract, from anywhere, without a database."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from marketplace.catalog.kinds.online_consultation import GENERAL
from marketplace.core import logging
from marketplace.core.clock import HOME_ZONE
from marketplace.core.config import ConfigError
from marketplace.core.sending import outside
from providers.conformance.journal import FileJournal, JournalInUse
from providers.conformance.kit import Target
from providers.conformance.listening import Listener
from providers.conformance.run import clean_up, run
from providers.conformance.step import Capability, StepResult
from providers.conformance.test_mode import TEST_MODES
from providers.conformance.transcript import in_words
from providers.conformance.writing import junit, line, summary
from providers.port import Connection, ProviderError

PASSED, FAILED, UNUSABLE = 0, 1, 2

OWN_NETWORKS = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
)
"""What may be tried besides public addresses: whoever types the command calls from a network of her own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 all certified and nothing left behind, 1 not, 2 it could not begin."""
    options = _options(arguments)
    logging.configure(json=False)
    logging.quiet()
    secret = os.environ.get("CONFORMANCE_SECRET", "")
    if not secret:
        print("CONFORMANCE_SECRET holds the API key (or the secret that signs); it is not set.", file=sys.stderr)
        return UNUSABLE
    webhook = os.environ.get("CONFORMANCE_WEBHOOK_SECRET", "")
    if webhook and not _signs(webhook):
        print("CONFORMANCE_WEBHOOK_SECRET is not base64 after 'whsec_'.", file=sys.stderr)
        return UNUSABLE
    try:
        outside.read_url(options.url, loopback=True, networks=OWN_NETWORKS)
    except outside.BadUrl:
        print("--url is not an address that can be called: https, or http within a private network.", file=sys.stderr)
        return UNUSABLE
    settings = {"app_key": options.app_key} if options.app_key else {}
    link = Connection(
        "provider",
        options.url,
        secret,
        (webhook,) if webhook else (),
        options.time_zone,
        settings=settings,
        networks=OWN_NETWORKS,
    )
    consultation = (options.consultation, options.department)
    escort = (options.escort, options.escort_pool)
    target = Target(
        options.adapter, link, options.offer, options.pool, options.patience, consultation=consultation, escort=escort
    )
    try:
        journal = FileJournal(options.journal)
    except (OSError, JournalInUse) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return UNUSABLE
    try:
        return _clean(target, journal) if options.clean_up else _run(target, journal, options, bool(webhook))
    except ConfigError as wrong:
        print(f"conformance: {wrong}", file=sys.stderr)
        return UNUSABLE
    finally:
        journal.close()


def _run(target: Target, journal: FileJournal, options: argparse.Namespace, webhooks: bool) -> int:
    host, port = options.listen
    try:
        listener = Listener(host, port, options.webhook_url) if webhooks else None
    except OSError as error:
        print(f"conformance: cannot listen on {host}:{port} ({error.strerror})", file=sys.stderr)
        return UNUSABLE
    try:
        result = run(target, journal, listener, only=options.only or None, heard=_tell)
    finally:
        if listener is not None:
            listener.close()
    print(summary(result))
    if options.junit:
        options.junit.write_bytes(junit(result))
    return PASSED if result.passed and not result.left else FAILED


def _clean(target: Target, journal: FileJournal) -> int:
    try:
        left = clean_up(target, journal)
    except ProviderError as error:
        left = [in_words(error)]
    for each in left:
        print(f"left behind: {each}")
    return FAILED if left else PASSED


def _signs(secret: str) -> bool:
    try:
        Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        return False
    return True


def _address(text: str) -> tuple[str, int]:
    host, _colon, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise argparse.ArgumentTypeError("must be HOST:PORT")
    return host, int(port)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError("must be seconds above 0, an hour at most")
    return value


def _tell(step: StepResult) -> None:
    print(line(step), flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m providers.conformance",
        description="Try a provider's system against the contract. CONFORMANCE_SECRET holds the API key (or the secret "
        "that signs), CONFORMANCE_WEBHOOK_SECRET that of the webhooks; without it they are not tried.",
    )
    parser.add_argument("--url", required=True, help="base URL of the system, better of its test mode")
    parser.add_argument("--adapter", choices=sorted(TEST_MODES), default="open_protocol")
    parser.add_argument("--offer", default="", help="code of the offer to book; else the test mode says it")
    parser.add_argument("--pool", default="", help="pool to book in; else the test mode's, or the first")
    parser.add_argument(
        "--consultation", default="", help="code of the consultation to open; else the test mode says it"
    )
    parser.add_argument("--department", default=GENERAL, help="of that consultation")
    parser.add_argument("--escort", default="", help="code of the escort to book; else the test mode says it")
    parser.add_argument("--escort-pool", default="", help="pool of its windows")
    parser.add_argument("--app-key", default="", help="who asks (day_capacity)")
    parser.add_argument("--time-zone", default=HOME_ZONE, help="zone of times without one (day_capacity)")
    parser.add_argument("--only", type=Capability, action="append", metavar="CAPABILITY", help="may be repeated")
    parser.add_argument("--patience", type=_seconds, default=30.0, help="seconds to wait for what comes later")
    parser.add_argument(
        "--listen", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT", help="address to receive webhooks on"
    )
    parser.add_argument("--webhook-url", default="", help="how that address is reached from outside")
    parser.add_argument("--journal", type=Path, default=Path("conformance-made.jsonl"), help="what was made there")
    parser.add_argument("--junit", type=Path, help="file for the result as JUnit XML")
    parser.add_argument("--clean-up", action="store_true", help="only take back what an earlier run left")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
