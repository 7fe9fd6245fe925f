"""The plan of a drill: all of it follows from the seed."""

from __future__ import annotations

from collections import Counter

from drill.rig.plan import DAYS, POSTGRESQL, SANDBOX, WEBS, WORKERS, make_plan

PROVIDERS = ("a", "b", "c")


def test_a_seed_gives_the_same_plan_again_and_another_seed_another() -> None:
    assert make_plan(7, 60, PROVIDERS, 10) == make_plan(7, 60, PROVIDERS, 10)
    assert make_plan(7, 60, PROVIDERS, 10).kills != make_plan(8, 60, PROVIDERS, 10).kills


def test_a_longer_drill_begins_like_the_short_one() -> None:
    short, long = make_plan(7, 60, PROVIDERS, 10), make_plan(7, 120, PROVIDERS, 10)
    assert list(long.kills)[: len(short.kills)] == list(short.kills)
    assert [fault for fault in long.faults if fault.at < 60] == list(short.faults)


def test_five_minutes_kill_everybody_and_more_than_sixty_times() -> None:
    for seed in range(50):
        kills = Counter(kill.what for kill in make_plan(seed, 300, PROVIDERS, 10).kills)
        assert kills.total() >= 75
        assert min(kills[what] for what in (*WEBS, POSTGRESQL, SANDBOX, *WORKERS)) >= 3
        assert kills[DAYS] >= 1


def test_nobody_is_killed_again_while_it_starts() -> None:
    last: dict[str, float] = {}
    for kill in make_plan(3, 300, PROVIDERS, 10).kills:
        assert kill.at - last.get(kill.what, -60) >= 3
        last[kill.what] = kill.at


def test_customers_have_dice_of_their_own() -> None:
    plan = make_plan(7, 60, PROVIDERS, 10)
    assert plan.dice("customer/1").random() == plan.dice("customer/1").random()
    assert plan.dice("customer/1").random() != plan.dice("customer/2").random()


def test_every_provider_has_a_broken_feed_and_a_storm_of_429_within_a_minute_and_a_half() -> None:
    for seed in range(50):
        faults = make_plan(seed, 90, PROVIDERS, 10).faults
        for provider in PROVIDERS:
            whole = [fault for fault in faults if fault.provider == provider and fault.probability == 1.0]
            broken = [fault for fault in whole if fault.fault == "error_before_commit" and fault.until - fault.at >= 12]
            storms = [fault for fault in whole if fault.fault == "rate_limited" and fault.command == "*"]
            assert {fault.command for fault in broken} <= {"slots", "bookings", "reports"}
            assert broken
            assert any(storm.until - storm.at >= 6 and 1 <= storm.retry_after <= 4 for storm in storms)


def test_every_provider_has_poisoned_rows_within_a_minute_and_all_feeds_have_in_five() -> None:
    for seed in range(50):
        poisoned = [fault for fault in make_plan(seed, 300, PROVIDERS, 10).faults if fault.fault == "poisoned_row"]
        assert {fault.provider for fault in poisoned if fault.at < 60} == {*PROVIDERS}
        assert {fault.command for fault in poisoned} == {"slots", "bookings", "reports"}


def test_a_drill_of_a_minute_has_a_silent_database_and_strays_and_they_leave_the_other_dice_alone() -> None:
    for seed in range(50):
        plan = make_plan(seed, 60, PROVIDERS, 10)
        assert plan.strays
        assert all(abs(silence.until - silence.at - 15) < 0.01 for silence in plan.silences)
        assert len(plan.silences) == 1
        assert len(make_plan(seed, 300, PROVIDERS, 10).silences) >= 3
