"""What is sealed directly under a master key: each column, and the record that its values are sealed for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from booking.calls.connections import CALL_RECORD, WEBHOOK_RECORD
from booking.discrepancies import Discrepancy
from booking.escort.models import EscortWorker
from booking.escort.records import phone_record
from booking.feeds import unreadable
from booking.feeds.models import DeliveredRow
from booking.joining import secret
from booking.joining.models import SystemTest
from booking.keys.part import Item, Moved
from booking.notices.models import NoticeSetting
from booking.personal.models import PersonalExport
from booking.reports.models import Report, ReportVersion
from booking.sealing import version_record
from booking.webhooks import contacts, endpoints
from booking.webhooks.models import ProviderContact, WebhookEndpoint, WebhookSecret
from marketplace.catalog.models import Provider
from marketplace.core import crypto, integrity
from marketplace.core.config import settings
from marketplace.core.keyring import Key
from providers.applying.models import ProviderApplication
from providers.applying.records import contact_record, email_record, token_record
from providers.staff import records
from providers.staff.models import MemberInvitation
from vip import phones
from vip.customers import email_address, person_keys
from vip.imports import contents
from vip.imports.models import BulkImport
from vip.models import Beneficiary, Customer, Operator, PersonKey
from vip.operators import second_factor
from vip.policies import numbers
from vip.policies.models import Policy
from vip.policies.put import contents_record


@dataclass(frozen=True)
class Sealed:
    """A column of values, or of lists of them. Its rows are gone through by `number`; `record` makes of the columns
    `names` (of its own table or of the one that `number` refers to) what a row's values are sealed for."""

    column: InstrumentedAttribute[Any]
    number: InstrumentedAttribute[int]
    names: tuple[InstrumentedAttribute[Any], ...]
    record: Callable[..., str]

    @property
    def name(self) -> str:
        """The column, as `table.column`."""
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    def live(self) -> Sequence[Key]:
        """The master keys."""
        return settings().master_keys

    def batch(self, session: Session, after: int, most: int) -> Sequence[int]:
        """The next numbers after `after`."""
        wanted = select(self.number).where(self.number > after, self.column.is_not(None))
        return session.scalars(wanted.distinct().order_by(self.number).limit(most)).all()

    def look(self, session: Session, numbers: Sequence[int]) -> Sequence[Item]:
        """The rows with these numbers. Changes nothing."""
        return [self._item(row) for row in self._rows(session, self._wanted(numbers))]

    def move(self, session: Session, numbers: Sequence[int]) -> Moved:
        """Seal the rows with these numbers under the current key, in the caller's transaction."""
        wanted = self._wanted(numbers)
        there = {self._primary(row) for row in self._rows(session, wanted)}
        locked = wanted.with_for_update(of=self.column.class_, key_share=True, skip_locked=True)
        rows = self._rows(session, locked)
        new, broken = list[dict[str, Any]](), 0
        for row in rows:
            item = self._item(row)
            if None in item.keys:
                broken += 1
                integrity.alarm(item.record)
            if not item.current:
                new.append(self._primary_values(row) | {"new_value": self._resealed(row, item.record)})
        if new:
            session.connection().execute(self._update(), new)
        return Moved(len(new), len(there - {self._primary(row) for row in rows}), broken)

    def _wanted(self, numbers: Sequence[int]) -> Select[Any]:
        table = self.column.class_
        wanted = select(*self._key(), self.column.label("sealed_value"), *self.names).select_from(table)
        for other in {name.class_ for name in self.names} - {table}:
            wanted = wanted.join(other)
        return wanted.where(self.number.in_(numbers), self.column.is_not(None))

    def _rows(self, session: Session, wanted: Select[Any]) -> list[Row[Any]]:
        """Those that hold something: of who was erased an empty value is left."""
        return [row for row in session.execute(wanted) if row.sealed_value]

    def _item(self, row: Row[Any]) -> Item:
        record = self.record(*row[len(self._key()) + 1 :])
        values = _values(row.sealed_value)
        opened = [crypto.open_master(value, record) for value in values]
        current = [one is None or crypto.is_current(value, record) for value, one in zip(values, opened, strict=True)]
        return Item(record, tuple(None if one is None else one[0] for one in opened), all(current))

    def _resealed(self, row: Row[Any], record: str) -> Any:
        """What does not open stays as it is."""
        new = [crypto.reseal(value, record) or value for value in _values(row.sealed_value)]
        return new if isinstance(row.sealed_value, list) else new[0]

    def _update(self) -> Any:
        mine = [column == bindparam(f"key_{column.name}") for column in self._key()]
        table = self.column.class_.__table__
        return update(table).where(*mine).values({self.column.key: bindparam("new_value")})

    def _key(self) -> list[Any]:
        return list(self.column.class_.__table__.primary_key.columns)

    def _primary(self, row: Row[Any]) -> tuple[Any, ...]:
        return tuple(row[: len(self._key())])

    def _primary_values(self, row: Row[Any]) -> dict[str, Any]:
        return {f"key_{column.name}": value for column, value in zip(self._key(), row, strict=False)}


def _values(stored: Any) -> Sequence[bytes]:
    return stored if isinstance(stored, list) else [stored]


def _wrapped(record: Callable[..., str]) -> Callable[..., str]:
    """What the data key of a record is sealed for."""
    return lambda *names: crypto.wrapping(record(*names))


def _itself(public_id: str) -> str:
    return public_id


SEALED = (
    Sealed(Customer.phone_sealed, Customer.id, (Customer.public_id,), phones.record_of),
    Sealed(NoticeSetting.email_sealed, NoticeSetting.customer_id, (Customer.public_id,), email_address.record_of),
    Sealed(Beneficiary.wrapped_key, Beneficiary.id, (Beneficiary.public_id,), _wrapped(_itself)),
    Sealed(
        PersonKey.wrapped_key,
        PersonKey.beneficiary_id,
        (Beneficiary.public_id, PersonKey.retention),
        _wrapped(person_keys.record_of),
    ),
    Sealed(Operator.totp_sealed, Operator.id, (Operator.public_id,), second_factor.totp_record),
    Sealed(Provider.secret_sealed, Provider.id, (Provider.code,), CALL_RECORD.format),
    Sealed(Provider.webhook_secrets_sealed, Provider.id, (Provider.code,), WEBHOOK_RECORD.format),
    Sealed(SystemTest.secret_sealed, SystemTest.id, (SystemTest.public_id,), secret.RECORD.format),
    Sealed(
        ReportVersion.wrapped_key,
        ReportVersion.id,
        (Report.public_id, ReportVersion.version),
        _wrapped(version_record),
    ),
    Sealed(
        DeliveredRow.wrapped_key, DeliveredRow.discrepancy_id, (Discrepancy.public_id,), _wrapped(unreadable.record_of)
    ),
    Sealed(WebhookSecret.sealed, WebhookSecret.id, (WebhookEndpoint.public_id,), endpoints.secret_record),
    Sealed(MemberInvitation.to_sealed, MemberInvitation.id, (MemberInvitation.public_id,), records.to_record),
    Sealed(MemberInvitation.token_sealed, MemberInvitation.id, (MemberInvitation.public_id,), records.token_record),
    Sealed(
        ProviderApplication.contact_sealed,
        ProviderApplication.id,
        (ProviderApplication.public_id,),
        contact_record,
    ),
    Sealed(
        ProviderApplication.email_sealed,
        ProviderApplication.id,
        (ProviderApplication.public_id,),
        email_record,
    ),
    Sealed(
        ProviderApplication.token_sealed,
        ProviderApplication.id,
        (ProviderApplication.public_id,),
        token_record,
    ),
    Sealed(ProviderContact.email_sealed, ProviderContact.id, (ProviderContact.public_id,), contacts.record_of),
    Sealed(Policy.number_sealed, Policy.id, (Policy.public_id,), numbers.record_of),
    Sealed(Policy.contents_sealed, Policy.id, (Policy.public_id,), contents_record),
    Sealed(BulkImport.wrapped_key, BulkImport.id, (BulkImport.public_id,), _wrapped(contents.record_of)),
    Sealed(EscortWorker.phone_sealed, EscortWorker.id, (EscortWorker.public_id,), phone_record),
    Sealed(PersonalExport.wrapped_key, PersonalExport.id, (PersonalExport.public_id,), _wrapped(_itself)),
)
"""Every column of the database whose values are sealed under a master key; a test compares with the schema."""
