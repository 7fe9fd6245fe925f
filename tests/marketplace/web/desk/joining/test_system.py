"""A provider has its own system tried from its desk: the worker does it, and the page shows what came of it."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select, update

from booking.certifying.ask import MOST_AN_HOUR
from booking.certifying.carry_out import carry_out_next
from booking.faults.kinds import Kind
from booking.programs.run import try_program
from booking.rehearsals.ask import Wanted, ask
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates.models import ConformanceRun
from tests.booking.twins.stage import BY, with_twin
from tests.desk import account, at_desk, make_member
from tests.marketplace.web.visitors import main
from tests.people import NOON
from tests.world import World, make_offer, set_provider

PATH = "/desk/system"


def runs(world: World) -> list[ConformanceRun]:
    with reading() as session:
        query = select(ConformanceRun).where(ConformanceRun.provider_id == world.provider.id)
        return list(session.scalars(query.order_by(ConformanceRun.id)))


def test_a_run_is_asked_for_once_and_its_end_stands_on_the_page(app: Flask, world: World) -> None:
    fang = at_desk(app, make_member(world.provider.code, login="fang"))
    assert "Your system was never tried." in main(fang.get(PATH))
    for _twice in range(2):
        assert fang.post(PATH, "/desk/password").headers["Location"] == PATH
    [run] = runs(world)
    assert (run.state, run.actor_kind, run.actor) == ("queued", "provider", account("fang").public_id)
    waiting = main(fang.get(PATH))
    assert "Queued" in waiting and "Look again" in waiting and "Have it certified" not in waiting
    asked = fang.get(PATH).text
    assert f'hx-get="{PATH}/live"' in asked and 'data-live="2"' in asked
    live = fang.get(f"{PATH}/live")
    assert "Queued" in live.text and "data-final" not in live.text and live.headers["ETag"].strip('"') in asked
    assert fang.get(f"{PATH}/live", headers={"If-None-Match": live.headers["ETag"]}).status_code == 304
    assert carry_out_next(clock.now, try_program) is not None  # nothing listens where the world's provider is
    ended = fang.get(f"{PATH}/live", headers={"If-None-Match": live.headers["ETag"]})
    assert ended.status_code == 200 and "data-final" in ended.text and "Have it certified" in ended.text
    assert 'data-live="2"' not in fang.get(PATH).text
    after = main(fang.get(PATH))
    assert "Nothing could be tried: the provider could not be reached" in after and "Have it certified" in after


def test_who_answers_at_the_desk_has_nothing_to_prove(app: Flask, world: World) -> None:
    set_provider(world.provider, adapter="desk")
    fang = at_desk(app, make_member(world.provider.code, login="fang"))
    assert "no certificate is needed" in main(fang.get(PATH))
    assert fang.post(PATH, "/desk/password").status_code == 409 and runs(world) == []


def test_a_programs_run_is_asked_for_once_test_mode_is_open_inside_of_it_and_outside(app: Flask, world: World) -> None:
    set_provider(world.provider, adapter="partner")
    fang = at_desk(app, make_member(world.provider.code, login="fang"))
    before = main(fang.get(PATH))
    assert "your program calls us" in before and "Open test mode first" in before
    assert "Have it certified" not in before and 'href="/desk/test-mode"' in fang.get(PATH).text
    refused = fang.post(PATH, "/desk/password")
    assert refused.status_code == 409 and "A program is tried in test mode." in main(refused) and runs(world) == []
    fang.post("/desk/test-mode", "/desk/test-mode", do="on")
    inside = main(fang.get(PATH))
    assert "Have it certified" in inside and "What it proves counts for what you sell to customers." in inside
    assert fang.post(PATH, PATH).status_code == 303
    [run] = runs(world)
    assert (run.state, run.actor_kind) == ("queued", "provider")
    assert "Queued" in main(fang.get(PATH)) and fang.get(f"{PATH}/runs/{run.public_id}").status_code == 200
    fang.post("/desk/test-mode", "/desk/test-mode", do="off")
    outside = fang.get(PATH)
    assert "Queued" in main(outside) and f"{PATH}/runs/{run.public_id}" in outside.text


def test_no_run_is_asked_for_while_a_rehearsal_is_open(app: Flask, world: World) -> None:
    set_provider(world.provider, adapter="partner")
    stage = with_twin(world)
    fang = at_desk(app, make_member(world.provider.code, login="fang"))
    ask(stage.twin.id, Wanted([Kind.GONE], 1), BY, now=clock.now())
    refused = fang.post(PATH, PATH)
    assert (
        refused.status_code == 409 and "A rehearsal is under way in test mode." in main(refused) and runs(world) == []
    )


def test_the_twin_of_one_whose_system_is_called_needs_no_certificate(app: Flask, world: World) -> None:
    fang = at_desk(app, make_member(world.provider.code, login="fang"))
    fang.post("/desk/test-mode", "/desk/test-mode", do="on")
    assert "no certificate is needed" in main(fang.get(PATH))
    assert fang.post(PATH, "/desk/password").status_code == 409 and runs(world) == []


def test_the_seventh_run_of_an_hour_is_refused_with_when_the_next_is_possible(app: Flask, world: World) -> None:
    fang = at_desk(app, make_member(world.provider.code, login="fang"))
    for _number in range(MOST_AN_HOUR["provider"]):
        assert fang.post(PATH, "/desk/password").status_code == 303
        with transaction() as session:
            session.execute(update(ConformanceRun).values(state="failed", reason="not_reached"))
    refused = fang.post(PATH, "/desk/password")
    assert refused.status_code == 429 and len(runs(world)) == MOST_AN_HOUR["provider"]
    assert "There are 6 runs an hour at most. The next one is possible in 60 minutes." in main(refused)


STEP = {
    "name": "booking-sold-out",
    "proves": "booking",
    "says": "A full slot is refused as sold_out",
    "outcome": "failed",
    "expected": {"code": "refused", "facts": {"code": "sold_out"}},
    "came": {"code": "confirmed", "facts": {}},
    "transcript": [
        "> POST /bookings",
        {"code": "no-answer", "facts": {"reason": {"code": "deadline-passed", "facts": {}}}},
    ],
}
OF_BEFORE = {**STEP, "expected": "refused (sold_out)", "came": "<b>confirmed</b>", "transcript": ["> POST /bookings"]}
GONE = {**OF_BEFORE, "name": "booking-of-before", "says": "As it was said then"}


def stored(world: World, *steps: dict[str, object]) -> str:
    """A run whose steps are stored so; the address of its page."""
    with transaction() as session:
        values = {"actor_kind": "system", "actor": "", "asked_at": NOON, "finished_at": NOON, "state": "done"}
        session.add(ConformanceRun(public_id="cfr_1", provider_id=world.provider.id, steps=list(steps), **values))
    return f"{PATH}/runs/cfr_1"


def test_a_runs_page_has_its_failed_steps_in_the_readers_language(app: Flask, world: World) -> None:
    path = stored(world, STEP)
    make_member(world.provider.code, login="fang")
    in_chinese = at_desk(app, "fang", "zh").get(path).text
    for words in (
        "约满的时段以 sold_out 拒绝",
        "拒绝（sold_out）",
        "已确认",
        "&gt; POST /bookings",
        "没有应答：超过时限",
    ):
        assert words in in_chinese, words
    assert "refused (sold_out)" not in in_chinese
    assert "refused (sold_out)" in at_desk(app, "fang").get(path).text


def test_a_run_of_a_program_has_its_steps_in_the_readers_language(app: Flask, world: World) -> None:
    expected = {"code": "program-refuses-with-reason", "facts": {"booking": "bkg_1", "seconds": "60"}}
    came = {"code": "program-booking-came-to", "facts": {"state": "confirmed", "cause": "x"}}
    path = stored(world, {**STEP, "name": "program-sold-out", "expected": expected, "came": came})
    make_member(world.provider.code, login="fang")
    in_chinese = at_desk(app, "fang", "zh").get(path).text
    for words in ("没有名额时说明原因并拒绝", "程序在 60 秒内以 sold_out 拒绝预约 bkg_1", "预约为 confirmed，原因 x"):
        assert words in in_chinese, words
    assert "What is full is rejected with the reason" in at_desk(app, "fang").get(path).text


def test_a_run_of_before_is_shown_with_its_english_words_marked_as_such(app: Flask, world: World) -> None:
    path = stored(world, OF_BEFORE, GONE)
    make_member(world.provider.code, login="fang")
    page = at_desk(app, "fang", "zh").get(path).text
    assert '<span lang="en">refused (sold_out)</span>' in page and "约满的时段以 sold_out 拒绝" in page
    assert '<span lang="en">As it was said then</span>' in page and "&lt;b&gt;confirmed" in page


def test_the_lists_lead_to_each_runs_page_and_say_so_when_there_is_nothing(app: Flask, world: World) -> None:
    fang = at_desk(app, make_member(world.provider.code, login="fang"))
    before = main(fang.get(PATH))
    assert "Nothing was tried yet." in before and "No certificate was given yet." in before
    path = stored(world, STEP)
    after = fang.get(PATH)
    assert f'href="{path}"' in after.text and "Command line" in main(after) and "1 failed" in main(after)


def test_another_providers_run_is_not_there(app: Flask, world: World) -> None:
    path = stored(world, STEP)
    other, _offer, _slots = make_offer()
    stranger = at_desk(app, make_member(other.code, login="wu"))
    assert stranger.get(path).status_code == stranger.get(f"{PATH}/runs/cfr_none").status_code == 404
    assert path not in stranger.get(PATH).text


def test_a_cursor_that_is_none_is_refused_in_words(app: Flask, world: World) -> None:
    fang = at_desk(app, make_member(world.provider.code, login="fang"))
    assert fang.get(f"{PATH}?runs=%21").status_code == 422
