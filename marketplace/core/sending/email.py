"""The e-mail port: who sends a plain text to a mail box.

`EMAIL_BACKEND=print` (the default in development) prints a line and stores the text in development's outbox; `smtp`
sends by the server of `SMTP_URL`; anything else names a gateway as `package.module:name`, something callable without
arguments that gives an EmailBackend. Blank (the default in production): there is no e-mail, and it is not offered.
"""

from __future__ import annotations

import smtplib
import ssl
import sys
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from typing import Protocol, TextIO
from urllib.parse import unquote, urlsplit

from marketplace.core import clock, release
from marketplace.core.config import ConfigError, settings
from marketplace.core.sending.outgoing import DevelopmentOutbox, Undeliverable, named_gateway

TIMEOUT = 10.0


class EmailBackend(Protocol):
    """Sends one text to one address. Raises Undeliverable when it can never arrive, anything else when a later try
    may succeed. `key` is the same for every try of one message: a server that knows it already sends nothing."""

    def send(self, to: str, subject: str, text: str, *, key: str) -> None:
        """Hand the text to the server."""


class PrintEmail:
    """Prints that there is one, and stores the text where the developer can read it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, to: str, subject: str, text: str, *, key: str) -> None:
        """Print one line and store the message in development's outbox."""
        print(f"E-mail to {to}: {subject}: {text}", file=self._stream or sys.stdout, flush=True)
        DevelopmentOutbox().put("email", to, subject, text, key)


class UnlessHeld:
    """Sends through `inner`, and from a restored copy nothing: then it raises NotReleased."""

    def __init__(self, inner: EmailBackend) -> None:
        self._inner = inner

    def send(self, to: str, subject: str, text: str, *, key: str) -> None:
        """Hand the text on."""
        release.require_released()
        self._inner.send(to, subject, text, key=key)


class Smtp:
    """Sends by a mail server: `smtp://user:password@host:587` (STARTTLS where the server offers it, and always before a
    password is sent) or `smtps://…:465`. The key becomes the Message-ID, by which mail boxes know a second copy."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or "@" not in sender:
            raise ConfigError("SMTP_URL must be smtp://host:port or smtps://host:port, and EMAIL_FROM an address.")
        self._host, self._sender = parts.hostname, sender
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")

    def send(self, to: str, subject: str, text: str, *, key: str) -> None:
        """Hand the message to the server. Raises Undeliverable when it refuses the recipient for good."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{key}@{self._sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
        message.set_content(text)
        try:
            with self._connection() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = {code for code, _ in refused.recipients.values()}
            if all(code >= 500 for code in codes):
                raise Undeliverable("recipient refused") from refused
            raise

    def _connection(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT)
            server.ehlo()
            if self._password or server.has_extn("starttls"):
                server.starttls(context=context)
        if self._password:
            server.login(self._user, self._password)
        return server


@lru_cache(maxsize=1)
def backend() -> EmailBackend | None:
    """The backend of this process, None when there is no e-mail. Raises ConfigError when the settings name none."""
    config = settings()
    if not config.email_backend:
        return None
    if config.email_backend == "print":
        if not config.development:
            raise ConfigError("EMAIL_BACKEND=print shows messages in the log: it is for development only.")
        return PrintEmail()
    if config.email_backend == "smtp":
        return UnlessHeld(Smtp(config.smtp_url, config.email_from))
    return UnlessHeld(named_gateway("EMAIL_BACKEND", config.email_backend))
