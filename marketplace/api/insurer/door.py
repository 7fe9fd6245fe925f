"""The door of the insurer's API: every route needs a token of an insurer's program, and says which scope."""

from __future__ import annotations

from marketplace.clients.owners import INSURERS
from marketplace.rest.programs import ProgramDoor, ProgramResource, check_form, tell_rate

PREFIX = "/insurer/v1"

door = ProgramDoor(INSURERS)
needs, caller, one_at_a_time = door.needs, door.caller, door.one_at_a_time


class Resource(ProgramResource):
    """A blueprint of the insurer's API."""

    def __init__(self, name: str, module: str, *, description: str) -> None:
        super().__init__(f"insurer_{name}", module, url_prefix=PREFIX, description=description)
        self.before_request(_admit)
        self.after_request(tell_rate)


def _admit() -> None:
    door.admit()
    check_form()
