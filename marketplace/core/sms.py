"""The SMS port: who sends a short text to a phone.

`SMS_BACKEND=print` (the default in development) prints the text. A real gateway is named as `package.module:name`,
something callable without arguments that gives an SmsBackend.
"""

from __future__ import annotations

import importlib
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Protocol, TextIO

from marketplace.core.config import ConfigError, settings
from marketplace.core.logging import get_logger

log = get_logger(__name__)


class SmsBackend(Protocol):
    """Sends one text to one phone (E.164). Raises when the gateway refuses it."""

    def send(self, phone: str, text: str) -> None:
        """Hand `text` to the gateway."""


class PrintSms:
    """Prints each text where the developer can read it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, phone: str, text: str) -> None:
        """Print one line: the phone, then the text."""
        print(f"SMS to {phone}: {text}", file=self._stream or sys.stdout, flush=True)


class InBackground:
    """Sends through `inner` on a thread of its own, so that the caller's answer takes as long for a phone that gets
    no text as for one that does. A gateway's refusal is logged, without the phone."""

    def __init__(self, inner: SmsBackend, threads: int = 4) -> None:
        self._inner = inner
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="sms")

    def send(self, phone: str, text: str) -> None:
        """Queue the text and return at once."""
        self._threads.submit(self._inner.send, phone, text).add_done_callback(_report)

    def close(self) -> None:
        """Wait until what was queued has been sent."""
        self._threads.shutdown()


def _report(sent: Future[None]) -> None:
    failed = sent.exception()
    if failed is not None:
        log.error("sms.failed", error=type(failed).__name__)


@lru_cache(maxsize=1)
def backend() -> SmsBackend:
    """The backend of this process. Raises ConfigError when the setting names none."""
    name = settings().sms_backend
    if name == "print":
        if not settings().development:
            raise ConfigError("SMS_BACKEND=print shows sign-in codes in the log: it is for development only.")
        return PrintSms()
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ConfigError("SMS_BACKEND must name a gateway as package.module:name.")
    try:
        made = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError) as bad:
        raise ConfigError(f"SMS_BACKEND names {name!r}, which cannot be loaded.") from bad
    return InBackground(made)
