"""A relative who takes her consent back: her family sees nothing more of what was said about her."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlalchemy import Engine

from booking.consultation import place, read
from booking.consultation.close import reopen
from booking.consultation.mark import mark
from booking.consultation.pictures import Sent, customer_shows, picture_of
from booking.consultation.say import Said, customer_says
from booking.personal.bundle import may_be_shown, write_bundle
from booking.personal.scope import to_show
from marketplace.core import clock
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from tests.booking.consultation.rooms import Practice, make_practice
from tests.people import NOON, consents, make_customer, signed_in
from tests.pictures import make_picture
from vip.customers.consent import ConsentMissing, withdraw_consent
from vip.customers.family import NewMember, add_member
from vip.principal import Principal

STRANGER = "13800000044"


@pytest.fixture
def practice(db: Engine) -> Iterator[Practice]:
    with clock.frozen(NOON):
        yield make_practice(quantity=5)


@pytest.fixture
def mother(practice: Practice) -> str:
    """She has agreed, and so has the father, which says nothing of her."""
    father = add_member(practice.world.principal, NewMember("father", "沈伯年", "male", date(1955, 5, 1)), NOON)
    mother = add_member(practice.world.principal, NewMember("mother", "林月华", "female", date(1957, 3, 2)), NOON)
    for person in (father.public_id, mother.public_id):
        consents(person)
    return mother.public_id


@pytest.fixture
def talk(practice: Practice, mother: str) -> str:
    """About her: she asked, and was answered."""
    found = practice.open(beneficiary=mother).conversation
    practice.ask(found, "绝经后出血")
    practice.answer(found, "尽快就诊")
    return found


def looks(me: Principal, talk: str, picture: str) -> dict[str, Callable[[], object]]:
    """Everything that a customer does with a conversation."""
    return {
        "shown": lambda: read.conversation_of(me, talk, NOON),
        "mark": lambda: mark(me, talk, now=NOON),
        "read": lambda: read.messages_after(me, talk, 0, now=NOON),
        "read back": lambda: read.messages_before(me, talk, 9, now=NOON),
        "marked": lambda: read.mark_read(me, talk, 1, NOON),
        "typed": lambda: read.typing(me, talk, NOON),
        "waited for": lambda: place.place(me, talk, now=NOON),
        "chosen": lambda: place.choose(me, talk, "wait", now=NOON),
        "said": lambda: customer_says(me, talk, Said("message-77", "x"), now=NOON),
        "sent": lambda: customer_shows(me, talk, Sent("message-78", make_picture()), now=NOON),
        "seen": lambda: picture_of(me, talk, picture, now=NOON),
        "opened again": lambda: reopen(me, talk, now=NOON),
    }


def test_nothing_of_it_is_shown_or_said_any_more_and_a_new_consent_brings_it_back(
    practice: Practice, mother: str, talk: str
) -> None:
    me = practice.world.principal
    customer_shows(me, talk, Sent("message-1", make_picture()), now=NOON)
    [picture] = [it.picture.id for it in read.messages_after(me, talk, 0, now=NOON) if it.picture]
    own = practice.open().conversation
    withdraw_consent(me, mother, now=NOON)
    for what, look in looks(me, talk, picture).items():
        with pytest.raises(ConsentMissing) as refused:
            look()
        assert refused.value.facts == {"beneficiary_id": mother}, what
    assert [it.id for it in read.conversations_of(me)] == [own]
    assert [it.text for it in read.messages_after(practice.clinician, talk, 0, now=NOON)][:2] == [
        "绝经后出血",
        "尽快就诊",
    ]
    consents(mother)
    assert {it.id for it in read.conversations_of(me)} == {own, talk}
    for look in looks(me, talk, picture).values():
        look()


def test_to_a_stranger_it_is_as_if_it_were_not_there(practice: Practice, mother: str, talk: str) -> None:
    make_customer(STRANGER)
    withdraw_consent(practice.world.principal, mother, now=NOON)
    for look in looks(signed_in(STRANGER), talk, "pic_none").values():
        with pytest.raises(NotFound):
            look()


def test_the_copy_of_ones_data_has_nothing_of_it(practice: Practice, mother: str, talk: str) -> None:
    me = practice.world.principal

    def copied() -> bytes:
        to = io.BytesIO()
        with transaction() as session:
            shown = may_be_shown(session, me.id, NOON)
            write_bundle(session, me.id, to_show(me.id, shown), to, now=NOON)
        with zipfile.ZipFile(to) as made:
            return b"".join(made.read(name) for name in made.namelist())

    assert "绝经后出血".encode() in copied()
    withdraw_consent(me, mother, now=NOON)
    assert "绝经后出血".encode() not in copied()
