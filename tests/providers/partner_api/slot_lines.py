"""Lines of slots as a partner sends them."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable
from typing import Any

from tests.providers.partner_api.partner import Partner


def line(reference: str = "a", **changes: Any) -> dict[str, Any]:
    """A slot of half an hour on 10 March, or on another day of these changes."""
    given = str(changes.get("service_date", ""))
    day = given if re.fullmatch("2026-[0-9-]{5}", given) else "2026-03-10"
    known = {
        "pool": "pool-1",
        "reference": reference,
        "service_date": day,
        "starts_at": f"{day}T08:00:00+08:00",
        "ends_at": f"{day}T08:30:00+08:00",
        "offered": 5,
        "version": 1,
    }
    return {name: value for name, value in {**known, **changes}.items() if value is not ...}


def statuses(answers: list[dict[str, Any]]) -> list[str]:
    return [answer["status"] for answer in answers]


def held(partner: Partner, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = partner.get("/slots", query_string={"pool": "pool-1", **query}).get_json()["items"]
    return found


class Watched(io.BytesIO):
    """A body that counts how often it is read, and before the first time does something else."""

    def __init__(self, body: bytes, meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__(body)
        self.asked, self._meanwhile = 0, meanwhile

    def _note(self) -> None:
        self.asked += 1
        if self.asked == 1:
            self._meanwhile()

    def read(self, size: int | None = -1) -> bytes:
        """Some of it."""
        self._note()
        return super().read(size)

    def readinto(self, buffer: Any) -> int:
        """Some of it, as werkzeug asks for it."""
        self._note()
        return super().readinto(buffer)


ASKED = {"pools": ["pool-1"], "from": "2026-03-10", "to": "2026-03-11"}


def opened(partner: Partner, **changes: Any) -> str:
    answer = partner.post("/slots/snapshots", json={**ASKED, **changes}, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def complete(partner: Partner, snapshot: str) -> Any:
    return partner.post(f"/slots/snapshots/{snapshot}/complete")


def closed(partner: Partner) -> set[str]:
    """The closed slots, as pool/reference."""
    found = [
        slot
        for pool in ("pool-1", "pool-2")
        for slot in partner.get("/slots", query_string={"pool": pool}).get_json().get("items", [])
    ]
    return {f"{slot['pool']}/{slot['reference']}" for slot in found if slot["closed"]}
