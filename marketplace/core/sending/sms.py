"""The SMS port: who sends a short text to a phone.

`SMS_BACKEND=print` (the default in development) prints the text. A real gateway is named as `package.module:name`,
something callable without arguments that gives an SmsBackend.
"""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Protocol, TextIO

from marketplace.core import release
from marketplace.core.config import ConfigError, settings
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.core.sending.outgoing import DevelopmentOutbox, named_gateway

log = get_logger(__name__)


class SmsBackend(Protocol):
    """Sends one text to one phone (E.164). Raises Undeliverable (marketplace.core.sending.outgoing) when it can never
    arrive, anything else when a later try may succeed.

    `key` names a message that may be tried again after a crash: a gateway that knows the key already sends nothing, so
    hand it on as its idempotency key. Sign-in codes have none: each is sent once, and asked for anew by the person.
    """

    def send(self, phone: str, text: str, *, key: str = "") -> None:
        """Hand `text` to the gateway."""


class PrintSms:
    """Prints each text where the developer can read it, and stores it in development's outbox: codes, which have no
    key, beside the rest, for the page on which they are typed."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, phone: str, text: str, *, key: str = "") -> None:
        """Print one line: the phone, then the text."""
        print(f"SMS to {phone}: {text}", file=self._stream or sys.stdout, flush=True)
        DevelopmentOutbox(codes=not key).put("sms", phone, "", text, key or new_id("sms"))


class UnlessHeld:
    """Sends through `inner`, and from a restored copy nothing: then it raises NotReleased."""

    def __init__(self, inner: SmsBackend) -> None:
        self._inner = inner

    def send(self, phone: str, text: str, *, key: str = "") -> None:
        """Hand the text on."""
        release.require_released()
        self._inner.send(phone, text, **({"key": key} if key else {}))


class InBackground:
    """Sends through `inner` on a thread of its own, so that the caller's answer takes as long for a phone that gets
    no text as for one that does. A gateway's refusal is logged, without the phone."""

    def __init__(self, inner: SmsBackend, threads: int = 4) -> None:
        self._inner = inner
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="sms")

    def send(self, phone: str, text: str, *, key: str = "") -> None:
        """Queue the text and return at once."""
        self._threads.submit(self._inner.send, phone, text, **({"key": key} if key else {})).add_done_callback(_report)

    def close(self) -> None:
        """Wait until what was queued has been sent."""
        self._threads.shutdown()


def _report(sent: Future[None]) -> None:
    failed = sent.exception()
    if failed is not None:
        log.error("sms.failed", error=type(failed).__name__)


@lru_cache(maxsize=1)
def gateway() -> SmsBackend:
    """The gateway of this process, for those who wait for its answer. Raises ConfigError without one."""
    return _make()


@lru_cache(maxsize=1)
def backend() -> SmsBackend:
    """The gateway for what a waiting person asked for: a real one sends in the background. Raises as gateway()."""
    made = _make()
    return made if isinstance(made, PrintSms) else InBackground(made)


def _make() -> SmsBackend:
    name = settings().sms_backend
    if name == "print":
        if not settings().development:
            raise ConfigError("SMS_BACKEND=print shows sign-in codes in the log: it is for development only.")
        return PrintSms()
    return UnlessHeld(named_gateway("SMS_BACKEND", name))
