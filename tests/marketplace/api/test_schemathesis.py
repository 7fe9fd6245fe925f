"""The API keeps what its OpenAPI document says, whatever is sent: generated requests, one by one and in sequences.

The same requests each time (no randomness, no sockets). In half of the requests the ids are real ones, so that the
generated rest reaches the use cases.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup, as_reported_failure
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.specs.openapi import checks
from sqlalchemy import Engine, text

from marketplace.api.description import CUSTOMER_API
from marketplace.catalog.kinds import kind
from marketplace.core import clock
from marketplace.core.database.db import transaction
from tests.marketplace.api.caller import Caller
from tests.people import NOON
from tests.world import World, join, make_world

EXAMPLES = 60
PHONE = "13800000021"
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
CALM = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=8,
)


class Program:
    """The WSGI application under test; each test puts the one of its own world in."""

    app: Flask
    caller: Caller
    world: World
    booked: str
    count = 0
    answers: Counter[str]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        def counted(status: str, *rest: Any) -> Any:
            self.answers[f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'].split('/')[3]} {status[:3]}"] += 1
            return start_response(status, *rest)

        return self.app(environ, counted)

    def headers(self) -> dict[str, str]:
        """The signed-in customer's."""
        return {"Authorization": f"Bearer {self.caller.token}"}

    def ids(self) -> dict[str, str | None]:
        """Real ids by the name of the field or path parameter, for every other request; none for the others."""
        self.count += 1
        if self.count % 2:
            return {}
        return {
            "offer_id": self.world.offer.public_id,
            "slot_id": self.world.slots[self.count // 2 % len(self.world.slots)].public_id,
            "beneficiary_id": self.world.beneficiary.public_id,
            "entitlement_id": self.world.entitlement.public_id,
            "booking_id": self.booked,
            "venue_id": None,
        }

    def wish(self) -> dict[str, Any]:
        """What holds a place: a time of the offer for the customer herself, with the answers that it asks for."""
        slot = self.world.slots[self.count % len(self.world.slots)].public_id
        asked = {"offer_id": self.world.offer.public_id, "beneficiary_id": self.world.beneficiary.public_id}
        return {**asked, "slot_id": slot, "details": dict(kind(self.world.offer.kind).example_details)}


program = Program()
schema = schemathesis.openapi.from_path(
    str(CUSTOMER_API.file),
    config=SchemathesisConfig.from_dict({"generation": {"deterministic": True, "with-security-parameters": False}}),
)
schema.app = program


def with_real_ids(case: schemathesis.Case) -> schemathesis.Case:
    """In a request that keeps the schema, some other booking, offer, slot and people become those that are there."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    for part in (case.path_parameters, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in program.ids().items() if name in part})
    return case


@pytest.fixture
def busy_world(app: Flask, db: Engine) -> Iterator[World]:
    """A customer with many uses, and an offer with many times."""
    with clock.frozen(NOON):
        made = make_world(quantity=5_000, slots=200, capacity=1_000)
        program.app, program.world, program.count = app, made, 0
        program.caller = Caller.of(app, PHONE)
        program.booked = made.hold()
        program.answers = Counter()
        yield made


@pytest.mark.usefixtures("busy_world")
@pytest.mark.parametrize("operation", [each.ok().label for each in schema.get_all_operations()])
def test_every_operation_keeps_its_word(operation: str) -> None:
    """What is sent is made up here: `schema.parametrize()` would have each process that collects the tests do it."""
    [made] = get_all_tests(schema=schema.include(name=operation), test_func=asked, settings=None, given_kwargs=None)
    _, ask_all = made.ok()
    try:
        ask_all()
    except FailureGroup as failed:
        raise as_reported_failure(failed) from None


@CALM
def asked(case: schemathesis.Case) -> None:
    with_real_ids(case).call_and_validate(headers=program.headers(), checks=CHECKS)


BOOKING = "/(bookings|offers|waiting|notifications)"
"""What a sequence goes through: among everything that can be asked hardly any would come to a booking."""


def test_sequences_of_operations_keep_their_word(busy_world: World) -> None:
    number = itertools.count()

    machine = schema.include(path_regex=BOOKING).as_state_machine()

    class Customer(machine):  # type: ignore[misc,valid-type]
        """Goes from one answer to the next request. Each sequence is another customer's, so that none sees what the
        one before left behind; she begins with a place on hold."""

        def setup(self) -> None:
            with transaction() as session:
                session.execute(text("DELETE FROM sign_in_code"))
            phone = f"139{next(number):08d}"
            made = busy_world
            program.world = join(made.provider, made.offer, made.slots, phone=phone, quantity=100)
            program.caller, program.count = Caller.of(program.app, phone), 0
            program.booked = program.world.hold()
            super().setup()

        def before_call(self, case: schemathesis.Case) -> None:
            self.repaired = False
            ids = program.ids()
            for part in (case.path_parameters, case.body):
                if isinstance(part, dict):
                    real = {name: value for name, value in ids.items() if name in part}
                    self.repaired = self.repaired or bool(real)
                    part.update(real)
            if self.repaired and case.method.upper() == "POST" and case.path.endswith("/bookings"):
                case.body = program.wish()  # of made-up answers hardly any would begin a sequence

        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"headers": program.headers()}

        def validate_response(self, response: Any, case: schemathesis.Case, **kwargs: Any) -> None:
            if case.method.upper() == "POST" and response.status_code == 201 and case.path.endswith("/bookings"):
                program.booked = response.json()["id"]
            # What was meant to be wrong may have become right by the real ids.
            asked = [each for each in CHECKS if each is not checks.negative_data_rejection or not self.repaired]
            case.validate_response(response, checks=asked)

    Customer.run(settings=CALM)
    assert program.answers["POST bookings 201"] > 0, "no sequence began with a booking"
    assert program.answers["POST bookings 200"] > 0, "no booking was confirmed or cancelled"
    assert sum(program.answers.values()) > EXAMPLES, program.answers
