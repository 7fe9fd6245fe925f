"""A clinician who is not in the register reads nothing of a patient."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from booking.consultation.queue import waiting
from booking.consultation.read import conversation_of, messages_after
from marketplace.core.database.db import transaction
from marketplace.core.errors import NotFound
from providers.staff.models import Clinician
from tests.booking.consultation.rooms import make_practice
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")


def test_who_is_not_verified_sees_neither_the_queue_nor_a_word() -> None:
    practice = make_practice()
    conversation = practice.open().conversation
    practice.ask(conversation, "嗓子疼")
    assert len(waiting(practice.clinician)) == 1

    with transaction() as session:
        session.execute(update(Clinician).values(verified_at=None, verified_by=None))

    assert waiting(practice.clinician) == ()
    with pytest.raises(NotFound):
        conversation_of(practice.clinician, conversation, NOON)
    with pytest.raises(NotFound):
        messages_after(practice.clinician, conversation, 0, now=NOON)
