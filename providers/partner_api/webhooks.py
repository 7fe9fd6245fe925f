"""Where providers send their signed events: POST /partner/v1/webhooks/<provider code>."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import ServiceUnavailable

from booking.calls.connections import sender_by_code
from booking.sync.webhooks import receive_event
from marketplace.core import clock
from marketplace.core.crypto import Unreadable
from marketplace.core.database.moment import by_database
from marketplace.core.errors import Invalid, Unauthenticated
from marketplace.core.logging import get_logger
from providers.port import BadSignature, ProviderError

log = get_logger(__name__)

blueprint = Blueprint("partner_webhooks", __name__, url_prefix="/partner/v1")


@blueprint.post("/webhooks/<id:code>")
def receive(code: str) -> tuple[Response, int]:
    """Verify, record and apply one event. 200 also for one received before; 401 when the signature does not fit, and as
    well for a code that no provider has: nobody learns here which there are."""
    try:
        known = sender_by_code(code)
    except Unreadable as broken:  # our key for its secrets does not fit: let it send again later
        log.warning("provider.unusable", provider=code)
        raise ServiceUnavailable() from broken
    if known is None:
        raise Unauthenticated()
    now = clock.now()
    try:
        event = known.open().read_event(dict(request.headers), request.get_data(cache=False), now)
    except BadSignature as bad:
        raise Unauthenticated() from bad
    except ProviderError as bad:
        raise Invalid(reason="unreadable_event") from bad
    return jsonify(outcome=receive_event(known.id, event, now=now, said=by_database)), 200
