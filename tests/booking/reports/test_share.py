"""Links that show a report: made, opened, counted, ended; and the one answer for everything that opens nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, text

from booking.notices.models import Notification
from booking.reports import share
from booking.reports.share import (
    MadeShare,
    NewShare,
    TooManyLinks,
    WrongAccessCode,
    end_share,
    find_link,
    open_share,
    read_paper,
    read_share,
    share_report,
    shares,
)
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, NotFound, TooMany
from tests.people import consents
from tests.reports import LATER, PDF, deliver, looks
from tests.vip.customers.test_consent import fathers_world
from tests.world import World, join, make_world
from vip.customers.blocking import block_by_command, unblock_by_command
from vip.customers.consent import withdraw_consent
from vip.signin import codes
from vip.signin.limits import Caller, Limit

pytestmark = pytest.mark.usefixtures("db")

ATTACKER, DOCTOR = Caller("203.0.113.9"), Caller("198.51.100.4")


@pytest.fixture
def world() -> World:
    return make_world(quantity=4)


@pytest.fixture
def report_id(world: World) -> str:
    return deliver(world, world.submit())


def make(world: World, report_id: str, **changes: object) -> MadeShare:
    values = {"audience": "doctor", "days": 7, **changes}
    return share_report(world.principal, report_id, NewShare(**values), now=LATER)  # type: ignore[arg-type]


def state(world: World, report_id: str, now: object = LATER) -> str:
    return shares(world.principal, report_id, now=now)[0].state  # type: ignore[arg-type]


def wrong(code: str | None) -> str:
    return "111111" if code == "000000" else "000000"


def test_a_link_opens_one_report_and_each_look_is_written_down(world: World, report_id: str) -> None:
    made = make(world, report_id)
    assert (made.access_code, made.share.state, made.share.expires_at) == (None, "open", LATER + timedelta(days=7))
    assert find_link(made.token, now=LATER).needs_code is False
    assert looks(report_id) == ["report.shared"], "a door is no look"
    opened = open_share(made.token, "", now=LATER).id
    assert read_share(made.token, now=LATER, opened=opened).id == report_id
    assert read_paper(made.token, None, now=LATER, opened=opened).content == PDF
    assert read_paper(made.token, 0, now=LATER, opened=opened).content == PDF
    (seen,) = shares(world.principal, report_id, now=LATER)
    assert [(look.at, look.what) for look in seen.looks] == [
        (LATER, "downloaded"), (LATER, "downloaded"), (LATER, "viewed"),
    ]  # fmt: skip
    assert seen.views == 1
    with pytest.raises(NotFound):
        read_paper(made.token, 7, now=LATER, opened=opened)


def test_the_owner_is_told_once_and_the_telling_holds_no_token(world: World, report_id: str) -> None:
    made = make(world, report_id, audience="family")
    with reading() as session:
        (told,) = session.scalars(select(Notification).where(Notification.kind == "report_shared")).all()
    assert (told.customer_id, told.subject, told.facts["audience"]) == (world.customer.id, made.share.id, "family")
    assert made.token not in str(told.facts)


def test_neither_token_nor_access_code_is_kept(world: World, report_id: str, owner_connection: Connection) -> None:
    made = make(world, report_id, with_code=True)
    rows = " ".join(
        row
        for table in ("report_share", "audit_line", "notification")
        for row in owner_connection.execute(text(f"SELECT t::text FROM {table} AS t")).scalars()
    )
    assert made.access_code is not None and len(made.access_code) == 6
    for secret in (made.token, made.token.encode().hex(), f'"{made.access_code}"', made.access_code.encode().hex()):
        assert secret not in rows


def test_without_opening_it_first_nothing_is_shown(world: World, report_id: str) -> None:
    made, other = make(world, report_id), make(world, report_id)
    for opened in ("", "shr_00000000000000000000", other.share.id):
        with pytest.raises(NotFound):
            read_share(made.token, now=LATER, opened=opened)
        with pytest.raises(NotFound):
            read_paper(made.token, None, now=LATER, opened=opened)


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 5_000, "\0", "../..", "'; DROP TABLE report_share;--"])
def test_a_token_that_nobody_made_is_not_there(world: World, report_id: str, token: str) -> None:
    make(world, report_id)
    for attempt in (lambda: find_link(token, now=LATER), lambda: open_share(token, "123456", now=LATER)):
        with pytest.raises(NotFound) as refused:
            attempt()
        assert refused.value.facts == {} and refused.value.at is None


def test_a_link_ends_to_the_second(world: World, report_id: str) -> None:
    made = make(world, report_id, days=1)
    opened = open_share(made.token, "", now=LATER).id
    end = LATER + timedelta(days=1)
    assert read_share(made.token, now=end - timedelta(seconds=1), opened=opened)
    for attempt in (
        lambda: find_link(made.token, now=end, opened=opened),
        lambda: open_share(made.token, "", now=end),
        lambda: read_share(made.token, now=end, opened=opened),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert state(world, report_id, end) == "expired"


def test_one_that_was_taken_back_shows_nothing_even_where_it_was_open(world: World, report_id: str) -> None:
    made = make(world, report_id)
    opened = open_share(made.token, "", now=LATER).id
    end_share(world.principal, report_id, made.share.id, now=LATER)
    end_share(world.principal, report_id, made.share.id, now=LATER)
    with pytest.raises(NotFound):
        read_share(made.token, now=LATER, opened=opened)
    assert state(world, report_id) == "revoked"
    assert looks(report_id).count("report.share_ended") == 1


def test_looks_are_counted_and_the_last_one_may_read_on(world: World, report_id: str) -> None:
    made = make(world, report_id, max_views=2)
    open_share(made.token, "", now=LATER)
    opened = open_share(made.token, "", now=LATER).id
    with pytest.raises(NotFound):
        open_share(made.token, "", now=LATER)
    with pytest.raises(NotFound):
        find_link(made.token, now=LATER)
    assert read_share(made.token, now=LATER, opened=opened).id == report_id
    assert state(world, report_id) == "used_up"


def test_the_access_code_opens_and_gives_its_tries_back(world: World, report_id: str) -> None:
    made = make(world, report_id, with_code=True)
    assert find_link(made.token, now=LATER).needs_code is True
    for _round in range(2):
        for left in (4, 3, 2, 1):
            with pytest.raises(WrongAccessCode) as refused:
                open_share(made.token, wrong(made.access_code), now=LATER)
            assert refused.value.facts == {"tries_left": left}
        assert open_share(made.token, made.access_code or "", now=LATER).id == made.share.id
    assert shares(world.principal, report_id, now=LATER)[0].looks[0].what == "wrong_code"


def test_wrong_codes_hold_up_who_typed_them_and_nobody_else(world: World, report_id: str) -> None:
    made = make(world, report_id, with_code=True)
    for _ in range(5):
        with pytest.raises(WrongAccessCode):
            open_share(made.token, wrong(made.access_code), now=LATER, caller=ATTACKER)
    with pytest.raises(TooMany) as refused:
        open_share(made.token, made.access_code or "", now=LATER, caller=ATTACKER)
    assert refused.value.facts == {"retry_after": 1800}
    assert state(world, report_id) == "open"
    assert open_share(made.token, made.access_code or "", now=LATER, caller=DOCTOR).id == made.share.id


def test_one_address_cannot_go_through_all_links(world: World, report_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "TRIES_BY_CALLER", Limit(7, 1))
    first, second = (make(world, report_id, with_code=True) for _ in range(2))
    for made in [first] * 4 + [second] * 3:
        with pytest.raises(WrongAccessCode):
            open_share(made.token, wrong(made.access_code), now=LATER, caller=ATTACKER)
    with pytest.raises(TooMany):
        open_share(second.token, second.access_code or "", now=LATER, caller=ATTACKER)


def test_when_wrong_access_codes_rise_there_is_an_alarm(
    world: World, report_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, object]] = []
    monkeypatch.setattr(codes.log, "warning", lambda event, **facts: said.append((event, facts["what"])))
    monkeypatch.setattr(codes, "WRONG_IN_ALL", Limit(1, 1))
    made = make(world, report_id, with_code=True)
    for _ in range(2):
        with pytest.raises(WrongAccessCode):
            open_share(made.token, wrong(made.access_code), now=LATER)
    assert said == [("guessing.rises", "access_code")]


def test_an_access_code_of_another_shape_costs_no_try(world: World, report_id: str) -> None:
    made = make(world, report_id, with_code=True)
    for code in ("", "12345", "1234567", "abcdef", "1" * 5_000):
        with pytest.raises(Invalid):
            open_share(made.token, code, now=LATER)
    assert open_share(made.token, made.access_code or "", now=LATER)


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"audience": "press"}, "audience"),
        ({"days": 0}, "days"),
        ({"days": 365}, "days"),
        ({"max_views": 0}, "max_views"),
        ({"max_views": 101}, "max_views"),
    ],
)
def test_what_is_not_offered_is_refused(world: World, report_id: str, changes: dict[str, object], at: str) -> None:
    with pytest.raises(Invalid) as refused:
        make(world, report_id, **changes)
    assert refused.value.at == at


def test_a_report_has_ten_links_at_a_time(world: World, report_id: str) -> None:
    made = [make(world, report_id) for _ in range(10)]
    with pytest.raises(TooManyLinks):
        make(world, report_id)
    end_share(world.principal, report_id, made[0].share.id, now=LATER)
    assert make(world, report_id)


def test_a_consent_that_is_withdrawn_closes_the_links_too() -> None:
    world, father = fathers_world()
    consents(father)
    made = make(world, deliver(world, world.submit()))
    opened = open_share(made.token, "", now=LATER).id
    withdraw_consent(world.principal, father, now=LATER)
    with pytest.raises(NotFound):
        read_share(made.token, now=LATER, opened=opened)


def test_the_links_of_a_blocked_customer_show_nothing_until_she_is_unblocked(world: World, report_id: str) -> None:
    made = make(world, report_id)
    opened = open_share(made.token, "", now=LATER).id
    block_by_command("13800000021", now=LATER)
    for attempt in (
        lambda: find_link(made.token, now=LATER, opened=opened),
        lambda: open_share(made.token, "", now=LATER),
        lambda: read_share(made.token, now=LATER, opened=opened),
        lambda: read_paper(made.token, None, now=LATER, opened=opened),
    ):
        with pytest.raises(NotFound):
            attempt()
    unblock_by_command("13800000021", now=LATER)
    assert read_share(made.token, now=LATER, opened=opened).id == report_id


def test_somebody_else_neither_shares_nor_sees_nor_ends(world: World, report_id: str) -> None:
    made = make(world, report_id)
    other = join(world.provider, world.offer, world.slots, phone="13800000047").principal
    for attempt in (
        lambda: share_report(other, report_id, NewShare("doctor", 7), now=LATER),
        lambda: shares(other, report_id, now=LATER),
        lambda: end_share(other, report_id, made.share.id, now=LATER),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert state(world, report_id) == "open"


def test_a_link_of_another_report_is_not_ended_by_way_of_this_one(world: World, report_id: str) -> None:
    made = make(world, report_id)
    second = deliver(world, world.submit(1), reference="RR-2")
    with pytest.raises(NotFound):
        end_share(world.principal, second, made.share.id, now=LATER)
    assert state(world, report_id) == "open"


def test_the_link_shows_the_newest_version(world: World) -> None:
    booking = world.submit()
    made = make(world, deliver(world, booking))
    opened = open_share(made.token, "", now=LATER).id
    deliver(world, booking, 2, now=LATER, conclusion="复查后正常。")
    assert read_share(made.token, now=LATER, opened=opened).version == 2
