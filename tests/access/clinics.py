"""Two providers of the world: what each has by itself, with a word of its own in everything that is nobody else's."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from sqlalchemy import select, update

from booking.calls.breaker import Call
from booking.capacity_rules import edit
from booking.capacity_rules.edit import NEW, Editor, Wish
from booking.consultation.at_desk import phrases
from booking.discrepancies import open_discrepancy
from booking.health.models import ProviderCallCount
from booking.idempotency import Repeatable
from booking.joining.models import SystemTest
from booking.joining.secret import mark_of_secret
from booking.sync import snapshots
from booking.webhooks import contacts, deliveries, endpoints
from booking.webhooks.contacts import Contact
from booking.webhooks.endpoints import By
from booking.webhooks.models import WebhookDelivery, WebhookSecret
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.clients import credentials, tokens
from marketplace.clients.models import ApiSecret
from marketplace.clients.owners import SCOPES
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.core.text import Text
from providers.applying.models import ProviderApplication
from providers.conformance.certificates.models import ConformanceRun
from providers.reported import RemoteClinician
from providers.staff import invitations
from providers.staff.clinicians import Profile, describe
from providers.staff.members import add_member
from providers.staff.models import OutsideClinician
from providers.staff.outside import take_roster
from tests.access.escorts import send_escorts
from tests.access.sessions import member_with, session_of
from tests.booking.capacity_rules.calendars import weekly
from tests.people import NOON
from tests.world import DAY, World, make_slot
from vip.principal import MemberRole

PASSWORD = "a long password"
WITHOUT = "without "
REVOKED = "revoked"
_CALLS = count(48_271, 1_001)


@dataclass
class Clinic:
    """A provider's own. `values` are by the names that the table uses; `seen` those that operators of every insurer see
    as well; `tokens` those of its people, by role, and of its programs: `program` with all scopes, one without each,
    and one whose token was revoked."""

    word: str
    world: World
    values: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The provider's."""
        return self.world.provider.id


def furnish(word: str, world: World) -> Clinic:
    """The world's provider with its people, programs, webhooks and calendar."""
    clinic = Clinic(word, world)
    _rename(clinic)
    _people(clinic)
    _programs(clinic)
    _webhooks(clinic)
    _calendar(clinic)
    _system(clinic)
    _review(clinic)
    clinic.values |= send_escorts(world, member_with(clinic.tokens["manager"]), word)
    return clinic


def _rename(clinic: Clinic) -> None:
    """It answers here, and calls its pool and its offer by names of its own."""
    world, word = clinic.world, clinic.word
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == clinic.id).values(adapter="partner"))
        session.execute(update(CapacityPool).where(CapacityPool.id == world.offer.pool_id).values(external_ref=word))
        session.execute(update(Offer).where(Offer.id == world.offer.id).values(external_ref=f"{word}-offer"))
        pool = session.get_one(CapacityPool, world.offer.pool_id)
        own = CapacityPool(
            public_id=new_id("pol"), provider_id=clinic.id, site_id=pool.site_id, external_ref=f"{word}-hall"
        )
        session.add(own)
        session.flush()
        session.add(make_slot(own.id, world.slots[0].starts_at, 3))
        clinic.values |= {
            "provider": world.provider.code,
            "offer": world.offer.public_id,
            "own_offer": world.offer.public_id,
            "reference": f"{word}-offer",
            "pool_reference": f"{word}-hall",
            "sold_pool": word,
            "providers_site": session.get_one(Site, pool.site_id).public_id,
            "pool": own.public_id,
            "day": DAY.isoformat(),
        }


def _people(clinic: Clinic) -> None:
    roles: tuple[MemberRole, ...] = ("manager", "front_desk", "clinician", "escort")
    for role in roles:
        public_id = add_member(
            clinic.values["provider"], f"{clinic.word}-{role}", PASSWORD, clinic.word, role, now=NOON
        )
        clinic.tokens[role] = session_of(public_id)
        clinic.seen |= {"clinician": public_id} if role == "clinician" else {}
    other = add_member(
        clinic.values["provider"], f"{clinic.word}-other", PASSWORD, f"{clinic.word} 王", "front_desk", now=NOON
    )
    manager = member_with(clinic.tokens["manager"])
    told = Profile(clinic.word[::-1], Text("主治医师", "Physician"), "110310000012345", ("general",), ("zh",))
    describe(manager, clinic.seen["clinician"], told, now=NOON)
    greeting = phrases.Wording(clinic.word, "", f"{clinic.word}，您好", "")
    outside = RemoteClinician("d-1", clinic.word[::-1], "主治医师", "Physician", "110310000012345")
    take_roster(clinic.world.provider.id, [outside], now=NOON)
    with reading() as session:
        listed = select(OutsideClinician.public_id).where(OutsideClinician.provider_id == clinic.world.provider.id)
        clinic.seen |= {"outside_clinician": session.scalars(listed).one()}
    clinic.values |= {
        "member": other,
        "phrase": phrases.add(manager, greeting, shared=True, now=NOON),
        "invitation": invitations.invite(manager, f"{clinic.word}@example.com", "front_desk", "zh", now=NOON),
    }


def _programs(clinic: Clinic) -> None:
    every = frozenset(SCOPES)
    kinds = {"program": every, REVOKED: every, **{f"{WITHOUT}{scope}": every - {scope} for scope in every}}
    for kind, scopes in kinds.items():
        made = credentials.add_client(
            clinic.values["provider"], f"{clinic.word} {kind}", scopes, by=credentials.operator("test"), now=NOON
        )
        clinic.tokens[kind] = tokens.new_token()
        with transaction() as session:
            secret = session.scalars(select(ApiSecret).where(ApiSecret.public_id == made.secret_id)).one()
            tokens.give(session, secret, clinic.tokens[kind], scopes, NOON)
        if kind == REVOKED:
            tokens.revoke(clinic.tokens[kind], made.client_id, now=NOON)
    spare = credentials.add_client(
        clinic.values["provider"], f"{clinic.word} spare", every, by=credentials.operator("test"), now=NOON
    )
    clinic.values |= {"client": spare.client_id, "client_secret": spare.secret_id}


def _webhooks(clinic: Clinic) -> None:
    by = By("operator", "test")
    hook = endpoints.add(clinic.id, f"https://{clinic.word}.example/a", ["booking.requested"], by=by, now=NOON)
    contacts.set_contacts(clinic.id, [Contact(f"it@{clinic.word}.example", "zh")], by=by, now=NOON)
    made = deliveries.send_test(clinic.id, hook.id, repeat=_once(), now=NOON)
    with transaction() as session:  # it was sent, so that it can be sent again
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.public_id == made.id)
            .values(state="done", finished_at=NOON, event_type="booking.requested")
        )
    endpoints.add_secret(clinic.id, hook.id, by=by, now=NOON, repeat=_once())
    spare = endpoints.add(clinic.id, f"https://{clinic.word}.example/b", ["booking.requested"], by=by, now=NOON)
    with reading() as session:
        secret = session.scalars(select(WebhookSecret.public_id).order_by(WebhookSecret.id.desc())).all()[1]
    clinic.values |= {"hook": hook.id, "spare_hook": spare.id, "delivery": made.id, "hook_secret": secret}


def _calendar(clinic: Clinic) -> None:
    rules = Wish(rules=weekly())
    clinic.values["change"] = edit.change(Editor(clinic.id, "mbr_1"), clinic.values["pool"], rules, NEW, now=NOON)
    clinic.values["calendar_version"] = str(edit.calendar_of(clinic.id, clinic.values["pool"])[1])
    clinic.values["snapshot"] = snapshots.open_snapshot(
        clinic.id, [f"{clinic.word}"], DAY, DAY, repeatable=_once(), now=NOON
    ).id


def _system(clinic: Clinic) -> None:
    """A system of its own that was tried, and what the kit came to."""
    word = clinic.word
    clinic.values["test"] = tried_system(clinic.id, word)
    run = ConformanceRun(
        public_id=new_id("cfr"),
        provider_id=clinic.id,
        state="done",
        actor_kind="provider",
        actor="mbr_1",
        asked_at=NOON,
        started_at=NOON,
        finished_at=NOON,
        left_behind=[f"{word[::-1]}-left-behind"],
    )
    clinic.seen |= {"run": run.public_id, "providers_run": run.public_id, "left_behind": f"{word[::-1]}-left-behind"}
    with transaction() as session:
        session.add(run)


def tried_system(provider_id: int, word: str) -> str:
    """A test that passed, with the word in its address, its settings and what was asked; its public id."""
    public_id = new_id("syt")
    with transaction() as session:
        session.add(
            SystemTest(
                public_id=public_id,
                provider_id=provider_id,
                actor="mbr_1",
                adapter="fhir",
                base_url=f"https://{word}.example/fhir",
                settings={"client_id": f"{word}-client"},
                secret_hash=mark_of_secret("a secret", public_id),
                secret_kept=False,
                asked_at=NOON,
                state="done",
                finished_at=NOON,
                outcome="fit",
                milliseconds=12,
                calls=[{"asked": f"GET /{word}", "status": 200}],
            )
        )
    return public_id


def _review(clinic: Clinic) -> None:
    """How it registered, what operators count of it, and a fault that is its own."""
    back, calls = clinic.word[::-1], next(_CALLS)
    entry = new_id("apl")
    with transaction() as session:
        session.add(
            ProviderApplication(
                public_id=entry,
                state="returned",
                name_zh="新来",
                name_en="Newcomer",
                answers="partner",
                country="other",
                registration=f"{back}-number",
                language="zh",
                time_zone="Asia/Shanghai",
                token_hash=entry.encode(),
                created_at=NOON,
                expires_at=NOON,
                confirmed_at=NOON,
                provider_id=clinic.id,
                submitted_at=NOON,
                note=f"{back}-question",
                letter="returned",
                run_after=NOON,
                sent_at=NOON,
            )
        )
        session.add(
            ProviderCallCount(
                provider_id=clinic.id,
                call=Call.COMMANDS.value,
                at=NOON - timedelta(minutes=5),
                calls=calls,
                succeeded=calls,
                milliseconds=calls,
                histogram=[calls],
            )
        )
        open_discrepancy(session, clinic.id, "theirs_only", f"{back}-there", now=NOON)
    clinic.seen |= {
        "application": entry,
        "registration": f"{back}-number",
        "question": f"{back}-question",
        "fault": f"{back}-there",
        "counted": f"{calls:,}",
    }


def _once() -> Repeatable:
    return Repeatable("test", str(uuid.uuid4()), b"f" * 32)
