"""What a clinician is shown of the patient whom she has in hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from booking.consultation.at_desk.agreed import AGREED, NotHersToAgree, agreed_to, choose_reports
from booking.consultation.at_desk.in_hand import departments_of, in_hand_of
from booking.consultation.at_desk.patient import REPORT_SHOWN, earlier_report, earlier_trend, patient_of
from booking.consultation.close import close
from booking.consultation.models import Conversation
from booking.consultation.open import Opening, open_consultation
from booking.consultation.queue import accept
from booking.consultation.summary import Summary
from booking.hold.begin import BeginRequest
from booking.idempotency import Repeatable
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.booking.consultation.rooms import PACKAGE, Practice, make_clinician, make_practice
from tests.people import NOON, OTHER_PHONE, give, make_customer
from tests.reports import deliver
from tests.world import add_offer
from vip.models import Beneficiary

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.fixture
def practice() -> Practice:
    return make_practice(quantity=20)


def in_hand(practice: Practice) -> str:
    """A conversation that the clinician has accepted."""
    opened = practice.open(details={"allergies": "青霉素"}).conversation
    practice.ask(opened, "嗓子疼")
    accept(practice.clinician, opened, now=NOON)
    return opened


def with_report(practice: Practice) -> tuple[str, str]:
    """A conversation in hand, and an earlier report of the same person."""
    earlier = in_hand(practice)
    practice.answer(earlier, "多喝水")
    closed = close(practice.clinician, earlier, Summary("上感"), now=NOON)
    assert closed.report is not None
    return in_hand(practice), closed.report


def lines() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(AuditLine).where(AuditLine.action == REPORT_SHOWN)) or 0


def refused(practice: Practice, conversation: str, report: str) -> bool:
    with pytest.raises(NotFound):
        earlier_report(practice.clinician, conversation, report, now=NOON)
    return True


def test_facts_and_answers_are_for_who_has_her_in_hand(practice: Practice) -> None:
    conversation = in_hand(practice)
    patient = patient_of(practice.clinician, conversation, now=NOON)
    assert (patient.details, patient.agreed, patient.reports) == ({"allergies": "青霉素"}, True, [])
    with pytest.raises(NotFound):
        patient_of(make_clinician(practice.world), conversation, now=NOON)


def test_each_look_at_an_earlier_report_is_a_line_of_the_audit(practice: Practice) -> None:
    conversation, report = with_report(practice)
    assert [it.id for it in patient_of(practice.clinician, conversation, now=NOON).reports] == [report]
    assert lines() == 0
    assert earlier_report(practice.clinician, conversation, report, now=NOON).conclusion == "上感"
    assert lines() == 1
    with pytest.raises(NotFound):
        earlier_report(make_clinician(practice.world), conversation, report, now=NOON)


def test_nothing_is_shown_without_consent(practice: Practice) -> None:
    conversation, report = with_report(practice)
    with transaction() as session:
        session.execute(update(Beneficiary).values(relation="father"))
    patient = patient_of(practice.clinician, conversation, now=NOON)
    assert (patient.agreed, patient.reports) == (False, ())
    assert refused(practice, conversation, report) and lines() == 0


def test_what_another_provider_delivered_is_not_shown(practice: Practice) -> None:
    with transaction() as session:
        provider, offer, _slots = add_offer(session, kind="online_consultation", slots=0, package=PACKAGE)
        session.flush()
        provider.adapter = "desk"
    other = Practice(replace(practice.world, provider=provider, offer=offer), practice.clinician)
    other.clinician = make_clinician(other.world)
    _theirs, report = with_report(other)
    conversation = in_hand(practice)
    assert patient_of(practice.clinician, conversation, now=NOON).reports == []
    assert refused(practice, conversation, report) and lines() == 0


@pytest.fixture
def elsewhere(practice: Practice) -> str:
    """A report of the same person by another provider."""
    with transaction() as session:
        provider, offer, _slots = add_offer(session, kind="online_consultation", slots=0, package=PACKAGE)
        session.flush()
        provider.adapter = "desk"
    other = Practice(replace(practice.world, provider=provider, offer=offer), practice.clinician)
    other.clinician = make_clinician(other.world)
    return with_report(other)[1]


def test_those_of_every_provider_are_shown_where_the_customer_lets_her_and_each_look_is_recorded(
    practice: Practice, elsewhere: str
) -> None:
    her, me, conversation = practice.clinician, practice.world.principal, in_hand(practice)
    assert agreed_to(me, conversation, now=NOON) is False
    choose_reports(me, conversation, show=True, now=NOON)
    patient = patient_of(her, conversation, now=NOON)
    assert ([it.id for it in patient.reports], patient.every_provider) == ([elsewhere], True)
    assert earlier_report(her, conversation, elsewhere, now=NOON).conclusion == "上感" and lines() == 1
    other = in_hand(practice)
    assert patient_of(her, other, now=NOON).reports == [], "it was said of one consultation"
    choose_reports(me, conversation, show=False, now=NOON)
    assert refused(practice, conversation, elsewhere) and lines() == 1
    assert agreed_to(me, conversation, now=NOON) is False


def test_she_may_say_so_when_she_asks(practice: Practice, elsewhere: str) -> None:
    wanted = BeginRequest(practice.world.offer.public_id, practice.world.beneficiary.public_id, None, {})
    repeat = Repeatable(practice.world.principal.public_id, "k1", b"f")
    opened = open_consultation(practice.world.principal, Opening(wanted, "", "zh", True), repeat, now=NOON)
    accept(practice.clinician, opened.conversation, now=NOON)
    assert [it.id for it in patient_of(practice.clinician, opened.conversation, now=NOON).reports] == [elsewhere]
    with reading() as session:
        said = session.scalars(select(AuditLine.action).where(AuditLine.subject == opened.booking)).all()
    assert AGREED in said


def test_of_an_adult_relative_nobody_here_says_so(practice: Practice, elsewhere: str) -> None:
    conversation = in_hand(practice)
    with transaction() as session:
        session.execute(update(Beneficiary).values(relation="father"))
    me = practice.world.principal
    assert agreed_to(me, conversation, now=NOON) is None
    with pytest.raises(NotHersToAgree):
        choose_reports(me, conversation, show=True, now=NOON)
    with transaction() as session:
        session.execute(update(Conversation).values(reports_agreed_at=NOON))
    assert refused(practice, conversation, elsewhere), "her own consent is asked for all the same"


def test_nobody_else_says_so_of_her(practice: Practice) -> None:
    conversation = in_hand(practice)
    other = replace(practice.world.principal, id=make_customer(OTHER_PHONE).id)
    for act in (
        lambda: choose_reports(other, conversation, show=True, now=NOON),
        lambda: agreed_to(other, conversation, now=NOON),
    ):
        with pytest.raises(NotFound):
            act()


def test_her_list_has_emergencies_and_those_without_an_answer_first(practice: Practice) -> None:
    answered, silent = in_hand(practice), in_hand(practice)
    practice.answer(answered, "多喝水")
    found = in_hand_of(practice.clinician)
    assert [(it.conversation, it.answered, it.unread) for it in found] == [(silent, False, 1), (answered, True, 1)]
    assert found[0].pledge == "pending" and found[0].due_at is not None
    assert in_hand_of(make_clinician(practice.world)) == []
    assert set(departments_of(practice.world.provider.id)) == {"general", "dermatology"}


def test_one_item_over_her_reports_is_shown_as_they_are_and_each_is_a_line_of_the_audit(practice: Practice) -> None:
    with transaction() as session:
        provider, offer, slots = add_offer(session)
    benefit = give(practice.world.customer, 2)
    other = replace(practice.world, provider=provider, offer=offer, slots=slots, entitlement=benefit)
    hers = deliver(other, other.submit(0))
    her, me, conversation = practice.clinician, practice.world.principal, in_hand(practice)
    with pytest.raises(NotFound):
        earlier_trend(her, conversation, "ldl", now=NOON)
    choose_reports(me, conversation, show=True, now=NOON)
    found = earlier_trend(her, conversation, "ldl", now=NOON)
    assert [(it.report_id, it.reading.value) for it in found.points] == [(hers, "3.92")] and lines() == 1
    for who, item in ((make_clinician(practice.world), "ldl"), (her, "no_such_item")):
        with pytest.raises(NotFound):
            earlier_trend(who, conversation, item, now=NOON)
    with transaction() as session:
        session.execute(update(Beneficiary).values(relation="father"))
    with pytest.raises(NotFound):
        earlier_trend(her, conversation, "ldl", now=NOON)
    assert lines() == 1
