"""The world of the table, and everybody who asks in it.

Two insurers and two providers. The owner is insured by the first and visits the first provider; her neighbour is
insured by the first and visits the second; the stranger is insured by the second and visits the first. So an answer
that goes by the wrong one of the three, customer, provider or insurer, shows somebody who is not the caller's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from unittest import mock

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.closures.close import close_site
from booking.closures.models import SiteClosure
from booking.discrepancies import Discrepancy
from booking.reconcile.models import ReconcileRun
from marketplace.catalog.models import Site
from marketplace.catalog.new_provider import add_provider
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.access.clinics import PASSWORD, REVOKED, WITHOUT, Clinic, furnish
from tests.access.escorting import go_along
from tests.access.estates import Estate, settle
from tests.access.insurers import insurers_programs, policies_of
from tests.access.mirrors import Mirror, mirror
from tests.access.row import COLUMNS, Door
from tests.access.sessions import operator_with, session_of
from tests.escorts import cover
from tests.people import NOON, TODAY, insurer_in
from tests.reports import examined_once
from tests.vip.imports.policy_lines import file, line
from tests.world import join, make_world
from vip.imports.upload import upload
from vip.imports.work import work_imports
from vip.models import Operator
from vip.operators.operators import create_operator
from vip.principal import Principal, Role

SLOTS = 18
DAY_OF_CLOSURE = TODAY + timedelta(days=60)
SHARED = frozenset(
    {
        "offer",
        "provider",
        "slot",
        "day",
        "slot_reference",
        "site",
        "entry",
        "phone",
        "free_slot",
        "free_reference",
        "providers_site",
        "calendar_version",
        "application",
        "clinician",
        "outside_clinician",
        "providers_run",
        "consultation_offer",
    }
)
"""Names of what is everybody's to see, or is a caller's own word for it: no route hides these."""


@dataclass(frozen=True)
class Actor:
    """Somebody who asks. `door` is hers, `column` what the table calls her there; `knows` the words of those whose
    things she may see; `values` are her own things by the table's names. `owns`: the table's things are hers, or her
    provider's, or her insurer's. `reads`: a word that she may read though the things of its owner are not hers.
    `desk`: for which provider her forms say that they were drawn."""

    name: str
    door: Door | None
    column: str = ""
    token: str = field(default="", repr=False)
    knows: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    owns: bool = False
    reads: str | None = None
    desk: str = ""


@dataclass(frozen=True)
class Everybody:
    """All who ask; `values` are the owner's things, by the table's names, `tests` those of the test mode of her
    provider; `marks` the words and ids that say whose something is."""

    actors: tuple[Actor, ...]
    values: Mapping[str, str]
    tests: Mapping[str, str]
    marks: Mapping[str, frozenset[str]]

    def nothings(self, *, tests: bool) -> dict[str, str]:
        """The same names for things that are not there; with `tests`, what there is in test mode is not there, of which
        nothing is everybody's, and all else is."""
        if tests:
            nobody = {name: nobodys(text, at) for at, (name, text) in enumerate(self.tests.items())}
            return {**self.values, **nobody}
        return {
            name: text if name in SHARED else nobodys(text, at) for at, (name, text) in enumerate(self.values.items())
        }


def nobodys(text: str, number: int) -> str:
    """Something of the same form that nobody has, another one for each number."""
    head, underscore, _ = text.partition("_")
    if underscore and len(head) == 3:
        return f"{head}_{number:020d}"
    if text.startswith("AXC1:"):
        return f"AXC1:bkg_{number:020d}:{number:020d}"
    return text if text.isdecimal() else "x" * len(text)


def everybody() -> Everybody:
    """Make the world, in an empty database."""
    with examined_once():
        cover("covered")
        with _insurer("demo"):
            first = _clinic("hollyhock", "13800000021")
            second = _clinic("marigold", "13800000022")
            add_provider("newcomer", "新来", "Newcomer", adapter="partner", time_zone="UTC", actor="test", now=NOON)
            owner = settle("quincewood", "13800000021", first.world)
            neighbour = settle("larkspur", "13800000022", second.world)
            for clinic, estate in ((first, owner), (second, neighbour)):
                bookings = estate.values["booking"], estate.values["proposed"]
                estate.values |= go_along(clinic.tokens["escort"], clinic.word, bookings)
            ours = _office("copperfield", owner)
            inside, outside = mirror("hawthorn", first), mirror("juniper", second)
        with _insurer("second"):
            world = join(first.world.provider, first.world.offer, first.world.slots, phone="13800000023", quantity=20)
            stranger = settle("tamarind", "13800000023", world)
            theirs = _office("silverlake", stranger)
    values = {**first.values, **first.seen, **owner.values, **ours.values}
    insured = (owner, neighbour)
    actors = (
        Actor("nobody", None),
        _customer("the owner", owner, first, owns=True),
        _customer("another customer of the insurer", neighbour, second),
        _customer("a customer of another insurer", stranger, first),
        *_staff("the provider's", first, (owner, stranger), owns=True),
        *_staff("another provider's", second, (neighbour,)),
        *_programs(first, second, owner, stranger, neighbour),
        *_operators("the insurer's", ours, insured, owns=True),
        *_insurers_programs("the insurer's", ours, insured, owns=True),
        *_insurers_programs("another insurer's", theirs, (stranger,)),
        *_operators("another insurer's", theirs, (stranger,)),
        *_testers("the provider's", first, inside, owns=True),
        *_testers("another provider's", second, outside),
    )
    kept = (first, second, owner, neighbour, stranger, ours, theirs)
    marks = {each.word: _marks(each.word, each.values) for each in kept}
    marks |= {each.word: _marks(each.word, each.values, shared=frozenset()) for each in (inside, outside)}
    seen = {_seen(each.word): frozenset(each.seen.values()) for each in (first, second)}
    return Everybody(actors, values, inside.values, marks | seen)


@dataclass
class _Office:
    """An insurer's own."""

    word: str
    values: dict[str, str]
    tokens: dict[str, str]
    programs: dict[str, str]


def _clinic(word: str, phone: str) -> Clinic:
    world = make_world(phone=phone, quantity=20, slots=SLOTS)
    return furnish(word, world)


@contextmanager
def _insurer(code: str) -> Iterator[None]:
    """As if this were an installation of the insurer with that code."""
    with mock.patch.dict(os.environ, {"INSURER_CODE": code}):
        settings.cache_clear()
        with transaction() as session:
            insurer_in(session)
        try:
            yield
        finally:
            settings.cache_clear()
    settings.cache_clear()


def _office(word: str, estate: Estate) -> _Office:
    """The insurer's operators, one more account of it, and a site that it closes."""
    roles: tuple[Role, ...] = ("agent", "admin")
    tokens = {role: session_of(create_operator(f"{word}-{role}", PASSWORD, word, role, now=NOON)) for role in roles}
    other = create_operator(f"{word}-other", PASSWORD, f"{word} 林", "agent", now=NOON)
    with transaction() as session:
        site = Site(public_id=new_id("sit"), name=f"总院{word[::-1]}", province="浙江省", city="宁波市")
        elsewhere = Site(public_id=new_id("sit"), name=f"分院{word[::-1]}", province="浙江省", city="宁波市")
        double = Site(public_id=new_id("sit"), name=f"又名{word[::-1]}", province="浙江省", city="宁波市")
        session.add_all([site, elsewhere, double])
        session.flush()
        closed, free, entry = site.public_id, elsewhere.public_id, double.public_id
        _at_providers_site(session, word, estate)
    admin = operator_with(tokens["admin"])
    closure = close_site(admin, closed, DAY_OF_CLOSURE, None, "cancel", now=NOON)
    values = {"operator": other, "closure": closure, "site": free, "entry": entry}
    values["batch"] = _import(admin, word)
    programs = insurers_programs()
    values |= policies_of(word, estate.phone, f"{estate.word} 沈")
    return _Office(word, values, tokens, programs)


def _import(admin: Principal, word: str) -> str:
    """A file with one line that can be imported and one that can't; it waits for somebody's word."""
    sound = line(1, product_name_zh=word, holder_phone="13800000029")
    batch = upload(admin, "policies", f"{word}.csv", file(sound, {**sound, "version": "2"}), now=NOON)
    work_imports(lambda: NOON)
    return batch


def _at_providers_site(session: Session, word: str, estate: Estate) -> None:
    """What the insurer did at a provider that works for another one, too: its site was closed once, and a case was
    asked about again."""
    who = session.scalars(select(Operator).where(Operator.login == f"{word}-admin")).one()
    case = session.scalars(select(Discrepancy).where(Discrepancy.public_id == estate.values["case"])).one()
    session.add_all(
        [
            SiteClosure(
                public_id=new_id("clo"),
                insurer_id=who.insurer_id,
                site_id=estate.world.offer.site_id,
                from_day=TODAY,
                to_day=TODAY,
                mode="cancel",
                state="done",
                actor=who.public_id,
                asked_at=NOON,
                finished_at=NOON,
            ),
            ReconcileRun(
                public_id=new_id("rec"),
                provider_id=estate.world.provider.id,
                case_id=case.id,
                state="done",
                actor_kind="operator",
                actor=who.public_id,
                asked_at=NOON,
                finished_at=NOON,
            ),
        ]
    )


def _customer(name: str, estate: Estate, clinic: Clinic, *, owns: bool = False) -> Actor:
    values = {**clinic.values, **estate.values}
    return Actor(name, "page", "customer", estate.token, frozenset({estate.word}), values, owns)


def _staff(whose: str, clinic: Clinic, guests: tuple[Estate, ...], *, owns: bool = False) -> list[Actor]:
    knows = frozenset({clinic.word, _seen(clinic.word), *(guest.word for guest in guests)})
    values = {**clinic.values, **clinic.seen, **guests[0].values}
    return [
        Actor(f"{whose} {role}", "desk", role, clinic.tokens[role], knows, values, owns) for role in COLUMNS["desk"]
    ]


def _programs(first: Clinic, second: Clinic, owner: Estate, stranger: Estate, neighbour: Estate) -> list[Actor]:
    knows = frozenset({first.word, owner.word, stranger.word})
    values = {**first.values, **owner.values}
    without = [name for name in first.tokens if name.startswith(WITHOUT)]
    return [
        Actor("the provider's program", "partner api", "program", first.tokens["program"], knows, values, True),
        *(
            Actor(f"its program {name}", "partner api", name, first.tokens[name], knows, values, True)
            for name in without
        ),
        Actor("its revoked program", "partner api", REVOKED, first.tokens[REVOKED], knows, values, True),
        Actor(
            "another provider's program",
            "partner api",
            "program",
            second.tokens["program"],
            frozenset({second.word, neighbour.word}),
            {**second.values, **neighbour.values},
        ),
    ]


def _operators(whose: str, office: _Office, insured: tuple[Estate, ...], *, owns: bool = False) -> list[Actor]:
    knows = frozenset({office.word, *(each.word for each in insured), _seen("hollyhock"), _seen("marigold")})
    values = {**insured[0].values, **office.values}
    return [
        Actor(f"{whose} {role}", "console", role, office.tokens[role], knows, values, owns)
        for role in COLUMNS["console"]
    ]


def _insurers_programs(whose: str, office: _Office, insured: tuple[Estate, ...], *, owns: bool = False) -> list[Actor]:
    knows = frozenset({office.word, *(each.word for each in insured)})
    values = {**insured[0].values, **office.values}
    columns = [name for name in office.programs if owns or name == "program"]
    return [
        Actor(f"{whose} {column}", "insurer api", column, office.programs[column], knows, values, owns)
        for column in columns
    ]


def _testers(whose: str, clinic: Clinic, it: Mirror, *, owns: bool = False) -> list[Actor]:
    """A manager's session in test mode, and a test program. What the twin has is called as at the live provider."""
    knows, values = frozenset({it.word}), {**clinic.values, **it.values}
    doors: tuple[tuple[Door, str], ...] = (("test desk", "manager"), ("test api", "program"))
    return [
        Actor(
            f"{whose} {column} in test mode",
            door,
            column,
            it.tokens[column],
            knows,
            values,
            owns,
            clinic.word,
            it.twin.public_id,
        )
        for door, column in doors
    ]


def _seen(word: str) -> str:
    """What stands for the things of that provider that operators of every insurer see."""
    return f"{word} to operators"


def _marks(word: str, values: Mapping[str, str], shared: frozenset[str] = SHARED) -> frozenset[str]:
    """What says whose something is: the word, and every id and number of it."""
    everybodys = {text for name, text in values.items() if name in shared}
    own = {text for text in values.values() if len(text) > 8 and not text.isdecimal()} - everybodys
    return frozenset({word, *own} | ({values["phone"]} if "phone" in values else set()))
