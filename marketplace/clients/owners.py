"""Whose programs come in, by which API, and what they may be allowed: one scope a capability (RFC 6749, section 3.3).

A client is of one owner, a provider or an insurer, and the other's API knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from sqlalchemy import ColumnElement

from marketplace.catalog.models import Insurer, Provider
from marketplace.clients.models import ApiClient

SCOPES: Mapping[str, str] = {
    "slots": "Publish slots and day capacities.",
    "bookings": "Read the bookings, answer them, and say what became of them.",
    "reports": "Deliver and correct reports.",
    "webhooks": "Say where webhooks go, and look at what was delivered.",
    "offers": "Maintain packages and their prices.",
}
"""Each scope of a provider's program with what it allows, in English: it stands in the OpenAPI file."""

INSURERS_SCOPES: Mapping[str, str] = {
    "policies": "Tell us policies, singly and in snapshots, and read them as we hold them.",
    "customers": "Bring customers whom the insurer's app has signed in.",
}
"""The same of an insurer's program."""


@dataclass(frozen=True)
class Caller:
    """Whose token it is: a client of an owner, and what it may do with it. `id`, `secret_id` (of the secret that the
    token was given for) and `owner_id` are internal and never leave. `twin`: the owner is there for tests."""

    id: int
    client: str
    secret_id: int
    owner_id: int
    owner: str
    time_zone: str
    scopes: frozenset[str]
    twin: bool = False


@dataclass(frozen=True)
class ProvidersProgram(Caller):
    """A program of a provider."""

    @property
    def provider_id(self) -> int:
        """Its provider."""
        return self.owner_id

    @property
    def scope_of_keys(self) -> str:
        """Whose idempotency keys its requests have: all clients of a provider share them."""
        return f"provider:{self.owner}"

    @property
    def scope_of_secret_keys(self) -> str:
        """The same for requests whose answer may show a secret: each client has its own, so that none is told by a
        repetition what was shown to another."""
        return f"{self.scope_of_keys}:{self.client}"


@dataclass(frozen=True)
class InsurersProgram(Caller):
    """A program of an insurer."""

    @property
    def insurer_id(self) -> int:
        """Its insurer."""
        return self.owner_id


OfWhom = TypeVar("OfWhom", bound=Caller)
OfWhom_co = TypeVar("OfWhom_co", bound=Caller, covariant=True)


@dataclass(frozen=True)
class Owners(Generic[OfWhom_co]):
    """One of the two kinds of owners. `name` is the field that refusals name; `beginning` is what a secret begins with,
    so that scanners of repositories know one when they see it, `of_tests` the same of one that opens test mode alone,
    so that people see which of the two they hold; None: what is there for tests has no clients."""

    name: Literal["provider", "insurer"]
    table: type[Provider] | type[Insurer]
    program: type[OfWhom_co]
    scopes: Mapping[str, str]
    beginning: str
    of_tests: str | None

    @property
    def column(self) -> ColumnElement[int | None]:
        """The column of a client that says whose it is."""
        mine: ColumnElement[int | None] = getattr(ApiClient, f"{self.name}_id").expression
        return mine

    @property
    def twin_of(self) -> ColumnElement[int | None]:
        """Not NULL in the row of an owner that is there for tests."""
        return Provider.twin_of.expression if self.table is Provider else Insurer.twin_id.expression

    @property
    def may_have(self) -> tuple[ColumnElement[bool], ...]:
        """The conditions on an owner that may have clients."""
        return (self.twin_of.is_(None),) if self.of_tests is None else ()


PROVIDERS = Owners("provider", Provider, ProvidersProgram, SCOPES, "axs_", "axt_")
INSURERS = Owners("insurer", Insurer, InsurersProgram, INSURERS_SCOPES, "axi_", None)
