"""What only exists in development: the outbox of messages that would have been sent, and a code on its own page."""

from __future__ import annotations

from flask import Response

from marketplace.core.config import settings
from marketplace.core.errors import NotFound
from marketplace.core.sending.outgoing import DevelopmentOutbox
from marketplace.web.answers import Views, render


def outbox() -> Response:
    """The newest messages. Raises NotFound outside of development."""
    if not settings().development:
        raise NotFound()
    return render("outbox.html", messages=DevelopmentOutbox().messages())


def text_with_code(phone: str) -> str:
    """The text that carries the newest code for a phone, so that whoever tries the product out finds it where it is
    typed; blank outside of development, and where a real gateway sends."""
    if not settings().development or settings().sms_backend != "print":
        return ""
    return DevelopmentOutbox(codes=True).newest(phone)


VIEWS: Views = {"outbox": outbox}
