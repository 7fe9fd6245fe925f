"""Something in every column that rests on a key, and reading it again."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import pyotp
from sqlalchemy import select, update

from booking.calls.connections import connection_of
from booking.personal.export import ask_copy, make_copies, open_copy, write_copy
from booking.webhooks import endpoints
from booking.webhooks.models import WebhookEndpoint
from marketplace.catalog.models import Provider
from marketplace.core.crypto import seal_master
from marketplace.core.database.db import reading, transaction
from tests.booking.personal.planted import Life, live
from tests.people import NOON
from tests.stage import WEBHOOK_SECRET
from tests.world import make_world
from vip.models import Operator
from vip.operators import operators, second_factor

PHONE = "13800000021"
TOTP = pyotp.random_base32()
SECRET = "key-prompt"


@dataclass(frozen=True)
class Stored:
    """A customer's whole life, an operator with a device, a provider with secrets and a copy that is prepared."""

    life: Life
    copy: str
    hook: str

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
            operator = session.scalars(select(Operator)).one()
            assert second_factor.prove(session, operator, pyotp.TOTP(TOTP).at(NOON), NOON) == "device"
            session.execute(update(Operator).values(totp_step=0))
            endpoint = session.scalars(select(WebhookEndpoint)).one()
            assert endpoints.open_secrets(session, endpoint) == [self.hook]
        assert provider.connection.secret == SECRET
        assert provider.connection.webhook_secrets == (WEBHOOK_SECRET, WEBHOOK_SECRET)


def store(superuser: str) -> Stored:
    """Make it all."""
    world = make_world(phone=PHONE, quantity=5)
    life = live(world, PHONE, "hers", superuser)
    operators.create_admin("lin", "a long enough secret", "林主管", now=NOON)
    with transaction() as session:
        operator = session.scalars(select(Operator)).one()
        operator.totp_sealed = seal_master(TOTP, second_factor.totp_record(operator.public_id))
        operator.totp_since, operator.totp_step = NOON, 0
        code = world.provider.code
        webhook = [seal_master(WEBHOOK_SECRET, f"provider:{code}:webhook") for _ in range(2)]
        secret = seal_master(SECRET, f"provider:{code}:secret")
        session.execute(update(Provider).values(secret_sealed=secret, webhook_secrets_sealed=webhook))
    by = endpoints.By("operator", "test")
    hook = endpoints.add(world.provider.id, "https://hooks.example/", ["booking.confirmed"], by=by, now=NOON).secret
    assert hook is not None
    asked = ask_copy(world.principal, now=NOON)
    assert make_copies(now=NOON)["made"] == 1
    with reading() as session:
        assert session.scalars(select(Provider)).one().webhook_secrets_sealed
    return Stored(life, asked.id, hook)
