"""The door of the partner API: what programs of providers meet there besides what all programs do."""

from __future__ import annotations

from flask import Response, g, request

from booking.programs import watch
from marketplace.clients.owners import PROVIDERS
from marketplace.core import clock
from marketplace.rest.programs import ProgramDoor, ProgramResource, check_form, tell_rate
from providers.partner_api import struck

door = ProgramDoor(PROVIDERS)
needs, caller, one_at_a_time = door.needs, door.caller, door.one_at_a_time


class Resource(ProgramResource):
    """A blueprint of the partner API: every route needs a token, and says with `@needs` which scope."""

    def __init__(self, name: str, module: str, *, description: str) -> None:
        super().__init__(f"partner_{name}", module, url_prefix="/partner/v1", description=description)
        self.before_request(_admit)
        self.after_request(struck.after_call)
        self.after_request(tell_rate)
        self.after_request(_note_tried)


def _admit() -> None:
    found = door.admit()
    if found.twin:
        watch.refuse_to_order(found.provider_id, now=clock.now())
    check_form()
    struck.before_call(found)


def _note_tried(answer: Response) -> Response:
    """Note the call where the program that made it is being certified (only ever a twin's)."""
    if "program" in g and caller().twin and request.url_rule is not None:
        watch.note(
            caller().provider_id,
            method=request.method,
            route=request.url_rule.rule.removeprefix("/partner/v1"),
            booking=str((request.view_args or {}).get("booking_id", "")),
            status=answer.status_code,
            now=clock.now(),
        )
    return answer
