"""Something in every column that rests on a key, and reading it again."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import pyotp
from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from booking.calls.connections import connection_of
from booking.escort.models import EscortWorker
from booking.escort.records import phone_record
from booking.joining import secret
from booking.joining.ask import Proposed, ask_for_test
from booking.joining.models import SystemTest
from booking.personal.export import ask_copy, make_copies, open_copy, write_copy
from booking.webhooks import contacts, endpoints
from booking.webhooks.contacts import Contact
from booking.webhooks.models import WebhookEndpoint
from marketplace.catalog.models import Provider
from marketplace.core.crypto import seal_master, unseal_master
from marketplace.core.database.db import reading, transaction
from providers.applying.apply import apply
from providers.applying.models import ProviderApplication
from providers.applying.records import email_record
from providers.staff import records
from providers.staff.invitations import invite
from providers.staff.models import MemberInvitation
from tests.access.sessions import operator_with, session_of
from tests.booking.personal.planted import live
from tests.booking.personal.planting.life import Life
from tests.desk import make_member, member
from tests.people import NOON
from tests.providers.applying.applicants import CALLER, FACTS
from tests.stage import WEBHOOK_SECRET
from tests.vip.imports.policy_lines import file, line
from tests.world import make_world
from vip.imports.contents import Contents
from vip.imports.models import BulkImport
from vip.imports.upload import upload
from vip.models import Operator
from vip.operators import operators, second_factor

PHONE = "13800000021"
TOTP = pyotp.random_base32()
SECRET = "key-prompt"
INVITED = "+8613900001111"
WORKER_PHONE = "+8613900002222"
CONTACT = Contact("it@hospital.example", "en")


@dataclass(frozen=True)
class Stored:
    """A customer's whole life, an operator with a device, a provider with secrets, an invitation to it that is not sent
    yet, a copy that is prepared, and a file of policies that is to be read."""

    life: Life
    copy: str
    hook: str
    policies: str

    def readable(self) -> None:
        """Read everything anew, as the product does; fails on the first that is not what it was."""
        written = io.BytesIO()
        write_copy(self.life.world.customer.public_id, written, now=NOON)
        copy = zipfile.ZipFile(written)
        content = b"\n".join(copy.read(name) for name in copy.namelist()).decode(errors="replace")
        assert [where for where, value in self.life.values.items() if value not in content] == []
        assert b"".join(open_copy(self.life.world.principal, self.copy, now=NOON).parts)
        with transaction() as session:
            provider = connection_of(session.scalars(select(Provider)).one())
            operator = session.scalars(select(Operator).where(Operator.login == "lin")).one()
            assert second_factor.prove(session, operator, pyotp.TOTP(TOTP).at(NOON), NOON) == "device"
            session.execute(update(Operator).values(totp_step=0))
            endpoint = session.scalars(select(WebhookEndpoint)).one()
            assert endpoints.open_secrets(session, endpoint) == [self.hook]
            invitation = session.scalars(select(MemberInvitation)).one()
            opened = (invitation.to_sealed or b"", records.to_record(invitation.public_id))
            assert unseal_master(*opened) == INVITED
            test = session.scalars(select(SystemTest)).one()
            assert unseal_master(test.secret_sealed or b"", secret.RECORD.format(test.public_id)) == SECRET
            worker = session.scalars(select(EscortWorker).where(EscortWorker.public_id == "esw_stored")).one()
            assert unseal_master(worker.phone_sealed or b"", phone_record(worker.public_id)) == WORKER_PHONE
            applied = session.scalars(select(ProviderApplication)).one()
            assert unseal_master(applied.email_sealed or b"", email_record(applied.public_id)) == FACTS.email
            imported = session.scalars(
                select(BulkImport)
                .where(BulkImport.public_id == self.policies)
                .options(undefer(BulkImport.content_sealed))
            ).one()
            assert Contents.of(imported).open_file(imported.content_sealed or b"") == file(line(1))
        assert contacts.contacts_of(provider.id) == [CONTACT]
        assert provider.connection.secret == SECRET
        assert provider.connection.webhook_secrets == (WEBHOOK_SECRET, WEBHOOK_SECRET)


def store(superuser: str) -> Stored:
    """Make it all."""
    world = make_world(phone=PHONE, quantity=5)
    life = live(world, PHONE, "hers", superuser)
    operators.create_admin("lin", "a long enough secret", "林主管", now=NOON)
    with transaction() as session:
        operator = session.scalars(select(Operator).where(Operator.login == "lin")).one()
        operator.totp_sealed = seal_master(TOTP, second_factor.totp_record(operator.public_id))
        operator.totp_since, operator.totp_step = NOON, 0
        code = world.provider.code
        webhook = [seal_master(WEBHOOK_SECRET, f"provider:{code}:webhook") for _ in range(2)]
        sealed = seal_master(SECRET, f"provider:{code}:secret")
        session.execute(update(Provider).values(secret_sealed=sealed, webhook_secrets_sealed=webhook))
        session.add(
            EscortWorker(
                public_id="esw_stored",
                provider_id=world.provider.id,
                shown_name="王",
                sex="female",
                languages=["mandarin"],
                province="浙江省",
                city="杭州市",
                phone_sealed=seal_master(WORKER_PHONE, phone_record("esw_stored")),
                active_from=NOON,
                created_at=NOON,
                updated_at=NOON,
            )
        )
    by = endpoints.By("operator", "test")
    hook = endpoints.add(world.provider.id, "https://hooks.example/", ["booking.confirmed"], by=by, now=NOON).secret
    assert hook is not None
    fang = member(make_member(code, login="fang"))
    ask_for_test(fang, Proposed("open_protocol", "http://127.0.0.1:9", {}, SECRET), now=NOON)
    invite(fang, INVITED, "front_desk", "zh", now=NOON)
    apply(FACTS, caller=CALLER, now=NOON)
    policies = upload(operator_with(session_of(operator.public_id)), "policies", "x.csv", file(line(1)), now=NOON)
    contacts.set_contacts(world.provider.id, [CONTACT], by=by, now=NOON)
    asked = ask_copy(world.principal, now=NOON)
    assert make_copies(now=NOON)["made"] == 1
    with reading() as session:
        assert session.scalars(select(Provider)).one().webhook_secrets_sealed
    return Stored(life, asked.id, hook, policies)
