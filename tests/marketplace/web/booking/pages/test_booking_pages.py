"""From home to a booking: places, packages, times, the hold and its confirmation."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, text, update

from booking.states import BookingState
from marketplace.catalog.models import CapacityPool, Offer, Provider, Site
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from tests.marketplace.web.booking.pages.walking import PHONE, held, hold, times_url
from tests.marketplace.web.surfer import Surfer, surfer, text_of
from tests.people import NOON, counters, give
from tests.world import EIGHT, PACKAGE, World, booking_row, history, join, make_offer, make_slot, make_world, taken
from vip.customers.family import NewMember, add_member


def add(world: World, relation: str, sex: str, birth: date) -> str:
    member = add_member(world.principal, NewMember(relation, "沈伯年", sex, birth), NOON)
    return member.public_id


def test_home_shows_what_is_left_and_where_to_book(browser: Surfer) -> None:
    page = text_of(browser.get("/"))
    assert "Good afternoon, Ms Shen" in page
    assert "2 of 2 left" in page
    assert "Nothing booked" in page


def test_places_show_the_next_free_day_and_lead_to_its_times(browser: Surfer, world: World) -> None:
    page = browser.get("/places")
    assert "From Tue 10 March" in text_of(page)
    assert f"{times_url(world)}?for={world.beneficiary.public_id}" in page.get_data(as_text=True)


def packages_at(world: World) -> tuple[Offer, Offer]:
    """Two more packages at the same site: one of more worth and with a scan besides, one for women."""
    rich = {**PACKAGE, "items": [*PACKAGE["items"], {"name_zh": "胸部 CT", "name_en": "chest CT"}], "sex": "any"}
    with transaction() as session:
        made = []
        for number, (package, price) in enumerate(((rich, 228000), ({**rich, "sex": "female"}, 328000))):
            made.append(
                Offer(
                    public_id=new_id("ofr"),
                    provider_id=world.provider.id,
                    site_id=world.offer.site_id,
                    pool_id=world.offer.pool_id,
                    kind="health_check",
                    external_ref=f"more-{number}",
                    name_zh="尊享套餐",
                    name_en=f"Package {number}",
                    package=package,
                    price_minor=price,
                    certified=True,
                )
            )
        session.add_all(made)
    return made[0], made[1]


def test_of_several_packages_none_is_chosen_for_her(browser: Surfer, world: World) -> None:
    rich, _women = packages_at(world)
    father = add(world, "father", "male", date(1970, 5, 1))
    page = browser.get("/places", query_string={"for": father})
    told, markup = text_of(page), page.get_data(as_text=True)
    assert "2 packages · worth CN¥1,280 to CN¥2,280" in told and "Compare packages" in told
    chips = re.findall(r'href="(/offers/\w+/times)\?for=', markup)
    assert chips == [f"/offers/{rich.public_id}/times", times_url(world)], (
        "most worth first, each one tap from its times"
    )
    assert f'/packages?benefit=health_check&amp;for={father}"' in markup


def test_packages_of_several_providers_say_whose_they_are(browser: Surfer, world: World) -> None:
    rich, _women = packages_at(world)
    father = add(world, "father", "male", date(1970, 5, 1))
    told = text_of(browser.get("/places", query_string={"for": father}))
    assert world.provider.name_en not in told, "all of one: its name tells nothing apart"
    other, theirs, _slots = make_offer()
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == other.id).values(name_en="Songshan Health"))
        at_the_site = update(CapacityPool).where(CapacityPool.id == theirs.pool_id)
        session.execute(at_the_site.values(site_id=world.offer.site_id))
        moved = {"provider_id": other.id, "pool_id": theirs.pool_id}
        session.execute(update(Offer).where(Offer.id == rich.id).values(moved))
    told = text_of(browser.get("/places", query_string={"for": father}))
    assert f"CN¥2,280 Songshan Health Select package CN¥1,280 {world.provider.name_en}" in told
    for offer, name in ((rich, "Songshan Health"), (world.offer, world.provider.name_en)):
        assert f" · {name}" in text_of(browser.get(f"/offers/{offer.public_id}/times", query_string={"for": father}))


def test_packages_stand_side_by_side_with_their_worth_and_what_differs(browser: Surfer, world: World) -> None:
    rich, women = packages_at(world)
    father = add(world, "father", "male", date(1970, 5, 1))
    with reading() as session:
        site = session.get_one(Site, world.offer.site_id).public_id
    page = browser.get(f"/sites/{site}/packages", query_string={"for": father, "benefit": "health_check"})
    told, markup = text_of(page), page.get_data(as_text=True)
    order = [markup.index(f"/offers/{each.public_id}/times") for each in (rich, world.offer)]
    assert order == sorted(order) and f"/offers/{women.public_id}/times" not in markup
    assert "Package 0 Most for one unit" in told and "Worth CN¥2,280, nothing to pay" in told
    assert re.search(r"Select package .* Where they differ chest CT \(not included\)", told)
    assert "Another one here suits 沈伯年." in told
    assert "Each of them uses one unit of the same benefit." in told


def test_an_item_that_one_provider_alone_names_is_not_held_against_another(browser: Surfer, world: World) -> None:
    with_scan = [each.id for each in packages_at(world)]
    other, theirs, _slots = make_offer(slots=0)
    with transaction() as session:
        site = session.get_one(Site, world.offer.site_id).public_id
        session.execute(update(Provider).where(Provider.id == other.id).values(name_en="Songshan Health", name_zh="松"))
        moved = {"provider_id": other.id, "pool_id": theirs.pool_id}
        session.execute(update(Offer).where(Offer.id.in_(with_scan)).values(moved))
    father = add(world, "father", "male", date(1970, 5, 1))
    told = text_of(browser.get(f"/sites/{site}/packages", query_string={"for": father, "benefit": "health_check"}))
    assert "Songshan Health" in told and "chest CT" in told and "chest CT (not included)" not in told


def test_the_card_that_was_tapped_is_used_and_named_all_the_way(browser: Surfer, world: World) -> None:
    """It ends later than the other one, which would be used without it."""
    later = give(world.customer, 3, valid_until=date(2027, 6, 30))
    home = browser.get("/").get_data(as_text=True)
    assert f'href="/places?benefit=health_check&amp;entitlement={later.public_id}"' in home
    finder = browser.get("/places", query_string={"benefit": "health_check", "entitlement": later.public_id})
    assert "Health check · 3 left · Until 30 June 2027" in text_of(finder)
    times = f"{times_url(world)}?for={world.beneficiary.public_id}&amp;entitlement={later.public_id}"
    assert times in finder.get_data(as_text=True)
    picker = browser.get(times.replace("&amp;", "&"))
    assert "Health check · 3 left · Until 30 June 2027" in text_of(picker)
    assert f'name="entitlement" value="{later.public_id}"' in picker.get_data(as_text=True)
    booking = held(browser, world, entitlement=later.public_id)
    assert booking_row(booking).entitlement_id == later.id
    check = text_of(browser.get(f"/bookings/{booking}/confirm"))
    assert "Uses 1 of Health check, 2 left besides Until 30 June 2027" in check


def test_without_a_card_it_is_said_which_benefit_is_used(browser: Surfer, world: World) -> None:
    give(world.customer, 3, valid_until=date(2027, 6, 30))
    told = text_of(browser.get(times_url(world)))
    assert "Health check · 2 left · Until 31 December · of several, the one that ends first" in told


def test_the_city_is_remembered(app: Flask, browser: Surfer) -> None:
    browser.get("/places?city=杭州市")
    kept = browser.client.get_cookie("city")
    assert kept is not None and "杭州" not in kept.value
    assert "Hangzhou" in text_of(browser.get("/places")) and "杭州" in text_of(browser.get("/places?lang=zh"))


def test_the_first_free_day_and_time_are_chosen_already(browser: Surfer, world: World) -> None:
    page = browser.get(times_url(world)).get_data(as_text=True)
    assert f'name="slot" value="{world.slots[0].public_id}" required checked' in page
    assert "Tue 10 March 08:00–08:30" in page


def test_a_time_that_cannot_be_booked_any_more_says_why_and_cannot_be_chosen(browser: Surfer, world: World) -> None:
    with clock.frozen(EIGHT - timedelta(hours=12) + timedelta(seconds=1)):
        page = browser.get(times_url(world))
    markup = page.get_data(as_text=True)
    assert re.search(rf'value="{world.slots[0].public_id}" required disabled', markup)
    assert "08:00 too late" in text_of(page)
    assert f'name="slot" value="{world.slots[1].public_id}" required checked' in markup


def test_a_day_whose_times_have_all_closed_says_that_it_is_too_late(browser: Surfer, world: World) -> None:
    with transaction() as session:
        session.add(make_slot(world.offer.pool_id, EIGHT + timedelta(days=2), 1))
    with clock.frozen(EIGHT):
        assert "10 too late" in text_of(browser.get(times_url(world)))


def test_a_time_that_is_kept_for_those_who_wait_is_full(browser: Surfer, world: World) -> None:
    with transaction() as session:
        session.execute(
            text("INSERT INTO freed_slot (slot_id, kept, freed_at) VALUES (:slot, true, now() + interval '1 h')"),
            {"slot": world.slots[1].id},
        )
    assert "09:00 full" in text_of(browser.get(times_url(world)))


def test_a_time_is_held_confirmed_and_waits_for_the_hospital(browser: Surfer, world: World) -> None:
    booking = held(browser, world)
    page = browser.get(f"/bookings/{booking}/confirm")
    assert "Held for you 10 min left" in text_of(page)
    assert "Uses 1 of Health check, 1 left besides" in text_of(page)
    answer = browser.post(f"/bookings/{booking}/confirm")
    assert (answer.status_code, answer.location) == (303, f"/bookings/{booking}")
    assert "The hospital's turn" in text_of(browser.get(f"/bookings/{booking}"))
    assert booking_row(booking).state is BookingState.AWAITING_PROVIDER


@pytest.mark.parametrize(("hours", "told"), [(2, "answers within 2 hours"), (240, "answers before this time begins")])
def test_no_answer_is_promised_for_after_the_appointment(browser: Surfer, world: World, hours: int, told: str) -> None:
    with transaction() as session:
        session.execute(update(Provider).values(answer_hours=hours))
    assert told in text_of(browser.get(f"/bookings/{held(browser, world)}/confirm"))


def test_the_same_form_sent_twice_makes_one_booking(browser: Surfer, world: World) -> None:
    assert held(browser, world) == held(browser, world)
    assert taken(world.slots[0]) == 1


def test_confirming_twice_is_the_same_as_once(browser: Surfer, world: World) -> None:
    booking = held(browser, world)
    answers = [browser.post(f"/bookings/{booking}/confirm") for _ in range(2)]
    assert [answer.location for answer in answers] == [f"/bookings/{booking}"] * 2
    assert history(booking).count("awaiting_provider") == 1


def test_going_back_and_choosing_another_time_gives_the_first_one_back(browser: Surfer, world: World) -> None:
    first = held(browser, world)
    second = held(browser, world, 1)
    assert booking_row(first).state is BookingState.CANCELLED
    assert booking_row(second).state is BookingState.HELD
    assert [taken(slot) for slot in world.slots] == [0, 1, 0]
    assert counters(world.entitlement.id)["reserved"] == 1


def test_the_last_unit_is_no_hindrance_to_choosing_another_time(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        world = make_world(phone=PHONE, quantity=1)
        browser = surfer(app, PHONE)
        held(browser, world)
        second = held(browser, world, 1)
    assert booking_row(second).state is BookingState.HELD


def test_choosing_the_first_time_again_after_leaving_it_holds_it_anew(browser: Surfer, world: World) -> None:
    first = held(browser, world)
    held(browser, world, 1)
    again = held(browser, world)
    assert again != first
    assert booking_row(again).state is BookingState.HELD


def test_choosing_for_somebody_else_leaves_the_first_hold_alone(browser: Surfer, world: World) -> None:
    father = add(world, "father", "male", date(1955, 5, 1))
    mine = held(browser, world)
    his = held(browser, world, 1, **{"for": father})
    assert [booking_row(each).state for each in (mine, his)] == [BookingState.HELD] * 2


def test_a_time_that_has_gone_names_the_nearest_others(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        world = make_world(phone=PHONE, capacity=1)
        rival = join(world.provider, world.offer, world.slots, phone="13800000022")
        rival.hold(0)
        browser = surfer(app, PHONE)
        answer = hold(browser, world)
        page = text_of(browser.get(str(answer.location)))
    assert "08:00 has just gone Your benefit is untouched. The nearest times: Tue 09:00 Tue 10:00" in page
    assert counters(world.entitlement.id)["reserved"] == 0


def test_nothing_left_is_told_on_the_page_of_times(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        world = make_world(phone=PHONE, quantity=1)
        world.submit(0)
        browser = surfer(app, PHONE)
        answer = hold(browser, world, 1)
        page = text_of(browser.get(str(answer.location)))
    assert "There is nothing left of this benefit for that day" in page


def test_a_form_without_a_time_shows_the_day_that_was_chosen(browser: Surfer, world: World) -> None:
    answer = browser.post(times_url(world), day="2026-03-10", show="day")
    assert answer.location == f"{times_url(world)}?for={world.beneficiary.public_id}&day=2026-03-10"


def test_an_ineligible_person_is_shown_with_the_reason(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        world = make_world(phone=PHONE, package={"items": [], "sex": "any", "age_min": 18, "age_max": 70})
        father = add(world, "father", "male", date(1950, 1, 1))
        browser = surfer(app, PHONE)
        reason = "This package is for ages 18 to 70; on that day this person is 76."
        following = f"{times_url(world)}?day=2026-03-10"
        assert reason in text_of(browser.get("/who", query_string={"next": following}))
        assert reason in text_of(browser.get("/places", query_string={"for": father}))
        assert reason in text_of(browser.get(times_url(world), query_string={"for": father}))
        answer = hold(browser, world, **{"for": father})
        assert reason in text_of(browser.get(str(answer.location)))


def test_the_person_is_switched_without_losing_the_place(browser: Surfer, world: World) -> None:
    father = add(world, "father", "male", date(1955, 5, 1))
    following = f"{times_url(world)}?day=2026-03-10"
    answer = browser.get("/who", query_string={"next": following, "for": father, "go": "1"})
    assert answer.location == f"{times_url(world)}?day=2026-03-10&for={father}"
    assert "For 沈伯年, father" in text_of(browser.get(str(answer.location)))


def test_a_benefit_for_oneself_alone_says_so_of_the_others(app: Flask, db: Engine) -> None:
    with clock.frozen(NOON):
        world = make_world(phone=PHONE)
        alone = join(world.provider, world.offer, world.slots, phone="13800000023")
        with transaction() as session:
            session.merge(alone.entitlement).sharing = "self"
        add(alone, "father", "male", date(1955, 5, 1))
        page = surfer(app, "13800000023").get("/who", query_string={"next": times_url(world)})
    assert "This benefit is for you alone." in text_of(page)


def test_a_hold_that_is_over_leads_to_a_page_with_one_tap_back(browser: Surfer, world: World) -> None:
    booking = held(browser, world)
    with clock.frozen(NOON + timedelta(minutes=11)):
        answer = browser.get(f"/bookings/{booking}/confirm")
        page = browser.get(str(answer.location))
        late = browser.post(f"/bookings/{booking}/confirm")
    assert answer.location == late.location == f"/bookings/{booking}"
    assert "The time was released" in text_of(page)
    assert f"{times_url(world)}?for={world.beneficiary.public_id}" in page.get_data(as_text=True)
    assert booking_row(booking).state is BookingState.HELD  # the clock's job sweeps it
