"""Consent: an adult of the family agrees that her reports are fetched and shown to the customer.

The customer herself and people under 18 (whole years in the insurer's zone; Civil Code of China, articles 17 and 23)
need none. Anybody else is sent a code that says what it is for; passing it on to the customer is the agreement. She can
take it back; bookings go on without it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal

from sqlalchemy import ColumnElement, Date, and_, cast, exists, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from marketplace.catalog.models import Insurer
from marketplace.core import audit, clock, crypto, ids
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.sending import sms
from marketplace.core.sending.sms import SmsBackend
from marketplace.core.text import Text, language_of
from vip import phones
from vip.customers import family
from vip.customers.consent_models import Consent
from vip.customers.person_keys import CONTACT, WrappedKey, key_of
from vip.models import Beneficiary, Customer
from vip.principal import Principal
from vip.signin import codes, turns
from vip.signin.codes import Address, Asker, CodeSent
from vip.signin.limits import NOBODY, Caller
from vip.signin.signin import code_text, insurer_id

REPORTS: Final = "reports"
DISPATCH: Final = "dispatch"
"""Whoever is sent to her is given the answers of her booking."""
WITHDRAW = "withdraw_consent"
OF_AGE = 18
CODES_PER_HOUR = 10
"""Consent codes a customer may have sent, to whatever phones."""
LONGEST_IN_TEXT = 20

Purpose = Literal["reports", "dispatch"]
State = Literal["not_needed", "missing", "given"]


class ConsentMissing(Refusal):
    """An adult of the family has not agreed that her reports are shown. Facts: `beneficiary_id`."""

    code = "consent_missing"
    status = 403


class ConsentNotNeeded(Refusal):
    """There is nothing to ask: it is the customer herself, a child, or a person who agreed already."""

    code = "consent_not_needed"


@dataclass(frozen=True)
class ConsentView:
    """The status of a person's consent to reports; `given_at` and `method` only while it counts. `dispatch_given_at`:
    since when whoever is sent to her may be told of her, None where that was not agreed."""

    beneficiary_id: str
    state: State
    given_at: datetime | None = None
    method: str = ""
    dispatch_given_at: datetime | None = None


def may_show(beneficiary_id: ColumnElement[int] | InstrumentedAttribute[int], now: datetime) -> ColumnElement[bool]:
    """The condition that reports of this person (a column of internal ids) may be fetched and shown at `now`."""
    person, insurer = aliased(Beneficiary), aliased(Insurer)  # the query may name both tables, of whomever
    today = cast(func.timezone(insurer.time_zone, literal(now)), Date)
    child = cast(person.birth_date + text(f"interval '{OF_AGE} years'"), Date) > today
    agreed = exists().where(
        Consent.beneficiary_id == beneficiary_id, Consent.purpose == REPORTS, Consent.withdrawn_at.is_(None)
    )
    return exists().where(
        person.id == beneficiary_id,
        insurer.id == person.insurer_id,
        person.erased_at.is_(None),
        or_(person.relation == "self", child, agreed.correlate_except(Consent)),
    )


def not_withdrawn(beneficiary_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """The condition that this person (a column of internal ids) has not taken her agreement back: what was begun with
    it may be shown."""
    stands, was = aliased(Consent), aliased(Consent)  # the query may name consents of others
    agreed = exists().where(
        stands.beneficiary_id == beneficiary_id, stands.purpose == REPORTS, stands.withdrawn_at.is_(None)
    )
    withdrawn = exists().where(
        was.beneficiary_id == beneficiary_id, was.purpose == REPORTS, was.withdrawn_at.is_not(None)
    )
    return or_(agreed.correlate_except(stands), ~withdrawn.correlate_except(was))


def consents(principal: Principal, now: datetime) -> dict[str, ConsentView]:
    """The status of consent of each of the customer's people, by public id."""
    today = clock.today(principal.time_zone, now)
    told = aliased(Consent)
    of_dispatch = and_(told.beneficiary_id == Beneficiary.id, told.purpose == DISPATCH, told.withdrawn_at.is_(None))
    with reading() as session:
        rows = session.execute(
            select(Beneficiary, Consent, told.given_at.label("told_at"))
            .outerjoin(told, of_dispatch)
            .outerjoin(
                Consent,
                and_(
                    Consent.beneficiary_id == Beneficiary.id,
                    Consent.purpose == REPORTS,
                    Consent.withdrawn_at.is_(None),
                ),
            )
            .where(Beneficiary.customer_id == principal.id, Beneficiary.removed_at.is_(None))
        ).all()
    return {
        row.Beneficiary.public_id: replace(_view(row.Beneficiary, row.Consent, today), dispatch_given_at=row.told_at)
        for row in rows
    }


def ask_consent(
    principal: Principal, beneficiary: str, phone: str, *, now: datetime, gateway: SmsBackend | None = None
) -> CodeSent:
    """Send the person a code, with what it is for.

    Raises NotFound, ConsentNotNeeded, Invalid(field="phone"; reason "phone", or "own_phone" for the customer's own
    number), TooMany(retry_after) and Crowded(retry_after).
    """
    number = phones.normalise(phone)
    gateway = gateway or sms.backend()
    with turns.asking.signed_in(principal), transaction() as session:
        customer = session.get_one(Customer, principal.id, with_for_update={"key_share": True})  # see codes.bound()
        person = _needing(session, principal, beneficiary, now)
        address = _address(customer, person, number)
        codes.lock_phones(session, address)
        codes.bound(session, principal.id, "consent", CODES_PER_HOUR, now, field="phone")
        made = codes.new_code(session, address, now)
    if made.code is not None:
        gateway.send(number, _text(made.code, customer, person))
    return made.sent


def give_consent(principal: Principal, beneficiary: str, phone: str, code: str, *, now: datetime) -> ConsentView:
    """Record the consent that the code of the person's phone proves. Audited.

    Raises NotFound, ConsentNotNeeded, Invalid, WrongCode(tries_left), CodeEnded, TooMany(retry_after),
    Crowded(retry_after).
    """
    number, digits = phones.normalise(phone), codes.clean(code)
    with turns.trying.signed_in(principal):
        return _give(principal, beneficiary, number, digits, now)


def _give(principal: Principal, beneficiary: str, number: str, digits: str, now: datetime) -> ConsentView:
    with transaction() as session:
        person = _needing(session, principal, beneficiary, now)
        address = _address(session.get_one(Customer, principal.id), person, number)
        counted = codes.count_try(session, address, now)
    right = codes.compare(counted, address, digits, now=now)
    with transaction() as session:
        person = family.beneficiary(session, principal.id, beneficiary, lock=True)
        codes.use(session, right, now)
        codes.proved(session, address)
        record_consent(session, [person], "phone_code", now=now, phone=number)
        _audit(session, "consent.given", principal, person, now, method="phone_code")
    return ConsentView(person.public_id, "given", now, "phone_code")


def withdraw_consent(principal: Principal, beneficiary: str, *, now: datetime, purpose: Purpose = REPORTS) -> None:
    """End a consent because the customer asks: reports are hidden at once and fetched no more, or what was told for
    bookings that have not begun is shown to their providers no more. Audited; nothing happens where there is none.
    Raises NotFound."""
    with transaction() as session:
        person = family.beneficiary(session, principal.id, beneficiary, lock=True)
        if _end(session, Consent.beneficiary_id == person.id, "customer", now, purpose):
            _audit(session, "consent.withdrawn", principal, person, now, purpose, by="customer")


def dispatch_withdrawn(session: Session, beneficiary_ids: Collection[int]) -> dict[int, datetime]:
    """When these people (internal ids) last took back that whoever is sent to them is told; of the others nothing."""
    people = select(Consent.beneficiary_id, func.max(Consent.withdrawn_at)).where(
        Consent.beneficiary_id.in_(beneficiary_ids), Consent.purpose == DISPATCH, Consent.withdrawn_at.is_not(None)
    )
    return {person: last for person, last in session.execute(people.group_by(Consent.beneficiary_id)) if last}


def ask_withdrawal(
    phone: str, *, now: datetime, gateway: SmsBackend | None = None, caller: Caller = NOBODY
) -> CodeSent:
    """Send a code to a person who wants to withdraw what she agreed to; a phone that agreed to nothing gets none,
    with the same answer. Raises Invalid(field="phone"), TooMany(retry_after), Crowded(retry_after)."""
    number = phones.normalise(phone)
    gateway = gateway or sms.backend()
    address, asker = _withdrawal(number), Asker(caller)
    with codes.turn_to_ask(address, asker), transaction() as session:
        codes.lock_phones(session, address)
        made = codes.new_code(session, address, now, asker)
        agreed = session.scalar(select(_agreed_by(address)))
    if agreed and made.code is not None:
        gateway.send(number, code_text(made.code, None))
    return made.sent


def withdraw_by_phone(phone: str, code: str, *, now: datetime, caller: Caller = NOBODY) -> int:
    """End every consent that was given by this phone; how many those were. Audited.

    Raises Invalid, WrongCode(tries_left), CodeEnded, TooMany(retry_after), Crowded(retry_after).
    """
    number, digits = phones.normalise(phone), codes.clean(code)
    address, asker = _withdrawal(number), Asker(caller)
    with codes.turn_to_try(address, asker, now):
        return _withdraw(address, asker, digits, now)


def _withdraw(address: Address, asker: Asker, digits: str, now: datetime) -> int:
    with transaction() as session:
        counted = codes.count_try(session, address, now, asker)
    right = codes.compare(counted, address, digits, now=now)
    with transaction() as session:
        codes.use(session, right, now)
        codes.proved(session, address, asker)
        ended = _end(session, _of_phone(address), "person", now)
        for person in session.scalars(select(Beneficiary).where(Beneficiary.id.in_(ended))):
            audit.record(
                session,
                "consent.withdrawn",
                at=now,
                actor_kind="person",
                actor=person.public_id,
                subject=person.public_id,
                insurer_id=person.insurer_id,
                purpose=REPORTS,
                by="person",
            )
    return len(ended)


def record_consent(
    session: Session,
    people: Iterable[Beneficiary],
    method: Literal["phone_code", "demonstration"],
    *,
    now: datetime,
    phone: str | None = None,
) -> None:
    """Write the consent of these people, proved by that normalised `phone`, in the caller's transaction; a consent
    given earlier stays as it is."""
    rows = [
        {
            "public_id": (public_id := ids.new_id("cst")),
            "beneficiary_id": person.id,
            "purpose": REPORTS,
            "method": method,
            "phone_index": phones.index(phone) if phone else None,
            "phone_sealed": _sealed(session, phone, public_id, person) if phone else None,
            "given_at": now,
        }
        for person in people
    ]
    if rows:
        session.execute(
            insert(Consent)
            .values(rows)
            .on_conflict_do_nothing(
                index_elements=["beneficiary_id", "purpose"], index_where=text("withdrawn_at IS NULL")
            )
        )


def record_of(public_id: str) -> str:
    """The record that the phone of a consent is sealed for."""
    return f"consent:{public_id}:phone"


def is_adult(birth_date: date, today: date) -> bool:
    """Whether she is 18 or older. Who is born on 29 February comes of age on the 28th where a year lacks the 29th."""
    year = birth_date.year + OF_AGE
    try:
        birthday = birth_date.replace(year=year)
    except ValueError:
        birthday = date(year, 2, 28)
    return birthday <= today


def _sealed(session: Session, phone: str, public_id: str, person: Beneficiary) -> bytes:
    key = key_of(session, person, CONTACT).open()
    return crypto.seal(phone.encode(), key=key, record=record_of(public_id))


def phone_of(consent: Consent, key: WrappedKey) -> str | None:
    """The phone of a consent with the person's key of the class contact; None if it is not stored. Raises
    crypto.Unreadable."""
    if not consent.phone_sealed:
        return None
    return crypto.unseal(consent.phone_sealed, key=key.open(), record=record_of(consent.public_id)).decode()


def _of_phone(address: Address) -> ColumnElement[bool]:
    mine = select(Beneficiary.id).where(Beneficiary.insurer_id == address.insurer_id)
    return and_(Consent.phone_index.in_(address.phone_indexes), Consent.beneficiary_id.in_(mine))


def _agreed_by(address: Address) -> ColumnElement[bool]:
    return exists().where(_of_phone(address), Consent.purpose == REPORTS, Consent.withdrawn_at.is_(None))


def _view(person: Beneficiary, consent: Consent | None, today: date) -> ConsentView:
    if person.relation == "self" or not is_adult(person.birth_date, today):
        return ConsentView(person.public_id, "not_needed")
    if consent is None:
        return ConsentView(person.public_id, "missing")
    return ConsentView(person.public_id, "given", consent.given_at, consent.method)


def _needing(session: Session, principal: Principal, beneficiary: str, now: datetime) -> Beneficiary:
    """The person, locked, if her consent is needed and missing. Raises NotFound, ConsentNotNeeded."""
    person = family.beneficiary(session, principal.id, beneficiary, lock=True)
    if session.scalar(select(may_show(literal(person.id), now))):
        raise ConsentNotNeeded(field="beneficiary_id")
    return person


def _address(customer: Customer, person: Beneficiary, number: str) -> Address:
    indexes = phones.indexes(number)
    if customer.phone_index in indexes:
        raise Invalid(field="phone", reason="own_phone")
    return Address(customer.insurer_id, indexes, f"consent:{person.public_id}", customer.id)


def _withdrawal(number: str) -> Address:
    with reading() as session:
        return Address(insurer_id(session), phones.indexes(number), WITHDRAW)


def _end(session: Session, which: ColumnElement[bool], by: str, now: datetime, purpose: Purpose = REPORTS) -> list[int]:
    """End what counts; the internal ids of the people it was of."""
    return list(
        session.scalars(
            update(Consent)
            .where(which, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
            .values(withdrawn_at=now, withdrawn_by=by)
            .returning(Consent.beneficiary_id)
        )
    )


def _text(code: str, customer: Customer, person: Beneficiary) -> str:
    """The text to the person: who asks, for what, and what passing the code on means."""
    minutes = int(codes.LIFETIME.total_seconds() // 60)
    who, whose = _in_text(customer.name), _in_text(person.name)
    said = Text(
        f"【安享】{who}想在安享查看{whose}的健康报告。同意请把验证码 {code} 告诉对方，"
        f"{minutes} 分钟内有效；之后可随时在 {settings().public_url}/consent 撤回。不同意请忽略。",
        f"[Anxiang] {who} would like to see the health reports of {whose} in Anxiang. If you agree, "
        f"pass on the code {code} within {minutes} minutes. You can take it back at any time at "
        f"{settings().public_url}/consent. If you don't agree, do nothing.",
    )
    return said.in_language(language_of(customer.language))


def _in_text(name: str) -> str:
    """A name as a text to another person carries it: letters alone and not many, so that no advertisement, link or
    number goes out under our name as that of a relative."""
    letters = "".join(sign if unicodedata.category(sign)[0] in "LM" or sign in "·-'" else " " for sign in name)
    return " ".join(letters.split())[:LONGEST_IN_TEXT].rstrip()


def _audit(
    session: Session,
    action: str,
    principal: Principal,
    person: Beneficiary,
    now: datetime,
    purpose: Purpose = REPORTS,
    **facts: str,
) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.kind,
        actor=principal.public_id,
        subject=person.public_id,
        insurer_id=principal.insurer_id,
        purpose=purpose,
        **facts,
    )
