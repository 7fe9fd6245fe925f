"""A customer who writes by our API and looks at our page, while real processes carry it to the sandbox's doctors."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select, update

from booking.discrepancies import Discrepancy
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.development.database import DevDatabase
from marketplace.web.cookies import SIGNED_IN
from providers.conformance.certificates.issue import give_provisional
from providers.conformance.step import Capability
from providers.staff.models import OutsideClinician
from tests.booking.consultation.rooms import PACKAGE
from tests.eventually import eventually
from tests.providers.consultations.asking import consulting
from tests.sandboxes import Control, Sandbox, start_sandbox
from tests.stage import Stage, set_stage
from vip.models import Operator


@dataclass
class Chat:
    """A consultation of one customer: our id of it, and of its booking."""

    stage: Stage
    web: str
    token: str
    id: str
    booking: str

    @property
    def control(self) -> Control:
        """The doctors' strings."""
        return self.stage.sandbox.control()

    def call(self, verb: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """A request of the customer's program."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid.uuid4())}
        return requests.request(verb, f"{self.web}/api/v1{path}", json=body, headers=headers, timeout=20, **options)

    def write(self, text: str) -> None:
        """Say something."""
        body = {"client_message_id": str(uuid.uuid4()), "text": text}
        answer = self.call("POST", f"/consultations/{self.id}/messages", body)
        assert answer.status_code == 201, answer.text

    def show(self, picture: bytes) -> None:
        """Send a picture."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "image/png"}
        address = f"{self.web}/api/v1/consultations/{self.id}/pictures?client_message_id={uuid.uuid4()}"
        answer = requests.post(address, data=picture, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text

    def state(self) -> dict[str, Any]:
        """The consultation as our API tells it."""
        return dict(self.call("GET", f"/consultations/{self.id}").json())

    def messages(self, author: str = "") -> list[dict[str, Any]]:
        """All that was said, of everybody or of one kind of author."""
        items = self.call("GET", f"/consultations/{self.id}/messages").json()["items"]
        return [each for each in items if author in ("", each["author"])]

    def answers(self, number: int, seconds: float = 30) -> list[dict[str, Any]]:
        """The doctors' messages once there are so many."""
        enough = lambda: found if len(found := self.messages("clinician")) >= number else None  # noqa: E731
        return list(eventually(enough, seconds))

    def page(self) -> str:
        """Our page of it as she reads it."""
        cookies = {SIGNED_IN.name: self.token, "lang": "zh"}
        answer = requests.get(f"{self.web}/consultation/{self.id}", cookies=cookies, timeout=20)
        assert answer.status_code == 200
        body = re.sub(r"<(script|style).*?</\1>", " ", answer.text, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))

    def there(self) -> dict[str, Any]:
        """The consultation as the provider holds it, once it does."""
        found = eventually(lambda: self.control.consultations(self.booking), 30)
        return dict(found[0])


@contextmanager
def set_clinic(
    server: DevDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch, *, pledge: int = 90, **settings: Any
) -> Iterator[Stage]:
    """A provider whose doctors the sandbox plays, listed here and verified; `settings` are those of its doctors. Web
    server and worker run."""

    def start(place: Path, accounts: list[dict[str, Any]], pools: Any) -> Sandbox:
        works = consulting(**{"offers": ["basic"], **settings})
        return start_sandbox(place, [{**each, "consultations": works} for each in accounts], pools)

    selling = {"kind": "online_consultation", "package": {**PACKAGE, "pledge_seconds": pledge}}
    with set_stage(server, folder, monkeypatch, start=start, selling=selling, poll_seconds=3600) as stage:
        list_doctors(stage)
        with transaction() as session:  # without, the worker takes its offers off as soon as it looks
            give_provisional(session, stage.provider.id, now=clock.now(), also=(Capability.CONSULTATIONS,))
        stage.web()
        stage.worker()
        yield stage


def list_doctors(stage: Stage, but: str = "") -> None:
    """The provider's roster stands here, all of it verified but that one."""
    now = clock.now()
    with transaction() as session:
        operator = session.scalar(select(Operator.id).limit(1))
        if operator is None:
            made = Operator(
                public_id="opr_doctors",
                provider_id=stage.provider.id,
                login="doctors",
                name="运营",
                role="manager",
                password_hash="x",
            )
            session.add(made)
            session.flush()
            operator = made.id
        for number, each in enumerate(stage.sandbox.control().doctors()):
            verified = each["code"] != but
            session.add(
                OutsideClinician(
                    public_id=f"ocl_{number}",
                    provider_id=stage.provider.id,
                    **{name: each[name] for name in ("code", "name", "title_zh", "title_en", "licence")},
                    verified_at=now if verified else None,
                    verified_by=operator if verified else None,
                    listed_at=now,
                    created_at=now,
                    updated_at=now,
                )
            )


def verify(code: str, verified: bool = True) -> None:
    """An operator has found her in the register; or takes that back."""
    with transaction() as session:
        operator = session.scalar(select(Operator.id).limit(1)) if verified else None
        session.execute(
            update(OutsideClinician)
            .where(OutsideClinician.code == code)
            .values(verified_at=clock.now() if verified else None, verified_by=operator)
        )


def begin(stage: Stage, number: int, *, language: str = "zh") -> Chat:
    """Another customer opens a consultation, which the provider has in its queue."""
    _, beneficiary, token = stage.customer(number)
    web = stage.running[0].url
    chat = Chat(stage, web, token, "", "")
    wish = {"offer_id": stage.offer.public_id, "beneficiary_id": beneficiary, "language": language}
    answer = chat.call("POST", "/consultations", wish)
    assert answer.status_code == 201, answer.text
    chat.id, chat.booking = answer.json()["id"], answer.json()["booking_id"]
    assert chat.there()["our_reference"] == chat.booking
    return chat


def cases() -> list[str]:
    """The kinds of the discrepancies that are open."""
    with reading() as session:
        return sorted(session.scalars(select(Discrepancy.kind).where(Discrepancy.closed_at.is_(None))))
