"""A line of the table: a route, who may, what they are answered, and what is sent so that it would be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Door = Literal[
    "anybody", "proof", "customer api", "partner api", "insurer api", "page", "desk", "console", "test desk", "test api"
]
"""Who is let in: `anybody`; whoever shows a `proof` of another kind than a session (a secret, a signature, the link);
else those of one door alone. `test desk` and `test api` are the desk and the partner API in test mode."""

COLUMNS: Mapping[Door, tuple[str, ...]] = {
    "anybody": ("anybody",),
    "proof": ("anybody",),
    "customer api": ("customer",),
    "partner api": ("program",),
    "insurer api": ("program",),
    "page": ("customer",),
    "desk": ("manager", "front_desk", "clinician", "escort"),
    "console": ("agent", "admin"),
    "test desk": ("manager",),
    "test api": ("program",),
}
"""For whom a line says what they are answered, in this order: the owner of what the line names, or her colleagues."""


@dataclass(frozen=True)
class Ask:
    """One way to ask a route, and the status for each column of its door.

    Texts in what is sent name things of the world: `{report}` is a report of the owner's. `names` says which thing a
    part of the path is, where that is not the thing of the same name. `idle`: nothing is written although the answer
    is a yes. `others` is what everybody else is answered, at a door's page that needs no sign-in.
    `search`: whoever may ask looks among her own things, so that somebody else's are not found, and no more. `file` is
    sent in the form, as its `document`. `across` is what those of the same door are answered who are in test mode, or,
    where the line is about test mode, who are not; None: they are answered like everybody there, about their own.
    `live_too`: it is about the live provider in test mode, too; what its people see there is tried with the page.
    """

    answers: tuple[int, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    body: str | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    idle: bool = False
    others: int | None = None
    search: bool = False
    file: bytes | None = None
    across: int | None = None
    live_too: bool = False


@dataclass(frozen=True)
class Row:
    """One line: `METHOD rule` as the URL map writes it, its door, and the ways to ask. `scope` is that of a program."""

    route: str
    door: Door
    asks: tuple[Ask, ...]
    scope: str = ""

    @property
    def method(self) -> str:
        """GET, POST, PUT or DELETE."""
        return self.route.partition(" ")[0]

    @property
    def rule(self) -> str:
        """The path, with its parts in angle brackets."""
        return self.route.partition(" ")[2]

    def also(self, *answers: int, **sent: Any) -> Row:
        """The same line with one more way to ask."""
        sent.setdefault("across", self.asks[0].across)
        return replace(self, asks=(*self.asks, Ask(_filled(self.door, answers), **sent)))

    def each(self, forms: Sequence[Mapping[str, Any]]) -> Row:
        """The same line, asked with each of these forms, all of them answered like the first."""
        first = self.asks[0]
        return replace(self, asks=tuple(replace(first, form=form) for form in forms))


Line = Callable[..., Row]
NOT_THERE = 404


def _filled(door: Door, answers: Sequence[int]) -> tuple[int, ...]:
    """An escort worker finds nothing of the desk but what a line says of her: left out, it is not there for her."""
    return (*answers, NOT_THERE) if door == "desk" and len(answers) == len(COLUMNS[door]) - 1 else tuple(answers)


def _line(door: Door) -> Line:
    def line(route: str, *answers: int, **sent: Any) -> Row:
        answers = _filled(door, answers)
        if len(answers) != len(COLUMNS[door]):
            raise ValueError(f"{route}: say what each of {', '.join(COLUMNS[door])} is answered")
        return Row(route, door, (Ask(answers, **sent),))

    return line


anybody, proof = _line("anybody"), _line("proof")
customer, page = _line("customer api"), _line("page")
desk, console = _line("desk"), _line("console")


def live_desk(route: str, *answers: int, **sent: Any) -> Row:
    """A line of the desk that is not there in test mode."""
    return desk(route, *answers, across=NOT_THERE, **sent)


def mode_desk(route: str, answer: int, **sent: Any) -> Row:
    """A line of the desk about test mode: what a manager in test mode is answered. Outside of it, it is not there."""
    return _line("test desk")(route, answer, **{"across": NOT_THERE, **sent})


def mode_program(scope: str, route: str, answer: int, *, across: int, **sent: Any) -> Row:
    """A line of the partner API about test mode: what a test program with the scope is answered, and another one."""
    return Row(route, "test api", (Ask((answer,), across=across, **sent),), scope)


def insurers_program(scope: str, route: str, answer: int, **sent: Any) -> Row:
    """A line of the insurer's API: the scope that it needs, and what an insurer's program with it is answered."""
    return Row(route, "insurer api", (Ask((answer,), **sent),), scope)


def program(scope: str, route: str, answer: int, **sent: Any) -> Row:
    """A line of the partner API: the scope that it needs, and what a program with it is answered."""
    return Row(route, "partner api", (Ask((answer,), **sent),), scope)
