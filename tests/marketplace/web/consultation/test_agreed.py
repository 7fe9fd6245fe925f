"""The customer lets the doctor see earlier reports, or no more."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from booking.consultation.models import Conversation
from marketplace.core.database.db import reading, transaction
from tests.booking.consultation.rooms import Practice
from tests.marketplace.web.consultation.test_conversation import app, practice, talk, visitor
from tests.marketplace.web.visitors import Visitor, main
from vip.models import Beneficiary

__all__ = ["app", "practice", "talk", "visitor"]


def agreed() -> list[bool]:
    with reading() as session:
        found = session.scalars(select(Conversation.reports_agreed_at).order_by(Conversation.id)).all()
    return [each is not None for each in found]


def start(visitor: Visitor, practice: Practice, **more: str) -> None:
    page = visitor.get("/consultation/new").text
    fields = dict(re.findall(r'<input type="hidden" name="(offer|entitlement|idempotency_key)" value="([^"]*)"', page))
    form = {**fields, "for": practice.world.beneficiary.public_id, "language": "zh", **more}
    visitor.post("/consultation/new", "/consultation/new", **form)


@pytest.mark.parametrize(("form", "expected"), [({}, [False]), ({"show_reports": "1"}, [True])])
def test_she_says_so_in_the_form_that_begins_it(
    visitor: Visitor, practice: Practice, form: dict[str, str], expected: list[bool]
) -> None:
    start(visitor, practice, **form)
    assert agreed() == expected


def test_it_is_taken_back_beside_the_conversation_and_given_again(visitor: Visitor, talk: str) -> None:
    page = f"/consultation/{talk}"
    assert "of her own institution alone" in main(visitor.get(page))
    for show, expected in (("yes", True), ("no", False)):
        visitor.post(f"{page}/reports", page, show=show)
        assert agreed() == [expected]
    assert "of her own institution alone" in main(visitor.get(page))


def test_for_an_adult_of_the_family_it_is_not_hers_to_say(visitor: Visitor, talk: str) -> None:
    with transaction() as session:
        session.execute(update(Beneficiary).values(relation="father"))
    page = f"/consultation/{talk}"
    assert "own institution" not in main(visitor.get(page))
    visitor.send(f"{page}/reports", {**visitor.hidden(page), "show": "yes"})
    assert agreed() == [False]
