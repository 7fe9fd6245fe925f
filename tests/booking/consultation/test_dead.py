"""What has ended otherwise than by its end takes nothing more."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from booking.changes.cancel import cancel
from booking.consultation.say import ConversationClosed
from marketplace.core.database.db import reading
from tests.booking.consultation.rooms import make_practice
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")


def test_words_after_a_cancel_are_refused_and_begin_no_pledge() -> None:
    practice = make_practice()
    opened = practice.open()
    cancel(practice.world.principal, opened.booking, now=NOON)

    with pytest.raises(ConversationClosed):
        practice.ask(opened.conversation, "嗓子疼")

    with reading() as session:
        assert session.scalars(text("SELECT count(*) FROM pledge")).one() == 0


def test_the_same_words_are_answered_the_same_after_a_cancel() -> None:
    practice = make_practice()
    opened = practice.open()
    said = practice.ask(opened.conversation, "嗓子疼", key="message-1")
    cancel(practice.world.principal, opened.booking, now=NOON)

    again = practice.ask(opened.conversation, "嗓子疼", key="message-1")
    assert (again.public_id, again.replayed) == (said.public_id, True)
