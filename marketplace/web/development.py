"""What only exists in development: the outbox of messages that would have been sent."""

from __future__ import annotations

from flask import Response

from marketplace.core.config import settings
from marketplace.core.errors import NotFound
from marketplace.core.outgoing import DevelopmentOutbox
from marketplace.web.answers import Views, render


def outbox() -> Response:
    """The newest messages. Raises NotFound outside of development."""
    if not settings().development:
        raise NotFound()
    return render("outbox.html", messages=DevelopmentOutbox().messages())


VIEWS: Views = {"outbox": outbox}
