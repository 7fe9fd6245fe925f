"""The report box in the browser: what stands first, what is told about it, and what a look leaves behind."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from booking.states import BookingState
from marketplace.web.reports.reports_page import bar, reference
from providers.reported import ReportItem
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.reports import CONCLUSION, ITEMS, LATER, PDF, deliver, looks
from tests.world import World, go, join, make_world
from vip.signin.signin import issue_token

HOSTILE = '<script>alert("1")</script>{{7*7}}'


@pytest.fixture
def report_id(world: World) -> str:
    return deliver(world, world.submit())


def heads(answer: object) -> list[str]:
    """The names on the cards of what needs a look, in order."""
    cards = re.findall(r'(?s)<article class="card">.*?<h3 class="h3">(.*?)</h3>', answer.text)  # type: ignore[attr-defined]
    return list(cards)


# --- the list --------------------------------------------------------------------------------------------------------


def test_the_list_says_how_many_results_need_a_look(visitor: Visitor, world: World, report_id: str) -> None:
    page = visitor.get("/reports")
    assert f'href="/reports/{report_id}"' in page.text
    assert "3 to look at of 5" in main(page) and "沈静宜 · Select package" in main(page)
    visitor.language = "zh"
    assert "甄选套餐" in main(visitor.get("/reports"))
    assert looks(report_id) == []


def test_a_record_in_words_alone_is_no_choice_to_compare(visitor: Visitor, world: World, report_id: str) -> None:
    in_words = deliver(world, world.submit(1), reference="RR-2", items=())
    offered = "/reports/compare"
    for address in ("/reports", f"/reports/{in_words}"):
        assert offered not in visitor.get(address).text
    assert offered in visitor.get(f"/reports/{report_id}").text
    another = deliver(world, world.submit(2), reference="RR-3")
    assert offered in visitor.get("/reports").text
    choice = visitor.get(offered).text
    assert f'value="{report_id}"' in choice and f'value="{another}"' in choice and in_words not in choice


def test_an_empty_list_says_when_reports_come(visitor: Visitor) -> None:
    assert "No reports yet They arrive here by themselves" in main(visitor.get("/reports"))


def test_a_report_still_to_come_leads_to_its_booking(visitor: Visitor, world: World) -> None:
    public_id = world.submit()
    go(public_id, BookingState.CONFIRMED, BookingState.FULFILLED)
    page = visitor.get("/reports")
    assert "To come" in main(page) and f'href="/bookings/{public_id}"' in page.text


def test_the_list_pages_by_cursor_and_refuses_a_broken_one(
    visitor: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.web.reports.reports.SHOWN", 1)
    made = [deliver(world, world.submit(slot), reference=f"RR-{slot}") for slot in range(2)]
    first = visitor.get("/reports")
    assert made[1] in first.text and made[0] not in first.text
    after = re.search(r'href="(/reports\?after=[^"&]+)"', first.text)
    assert after is not None
    assert made[0] in visitor.get(after[1]).text
    for broken in ("x", "%00", "W10", "%F0%9F%92%A9"):
        assert visitor.get(f"/reports?after={broken}").status_code in (200, 422)


# --- one report ------------------------------------------------------------------------------------------------------


def test_what_needs_a_look_stands_first_with_range_and_meaning(visitor: Visitor, report_id: str) -> None:
    page = visitor.get(f"/reports/{report_id}")
    told = main(page)
    assert heads(page) == ["LDL cholesterol", "Electrocardiogram", "Haemoglobin"]
    assert "3 of 5 results to look at" in told
    assert "3.92 mmol/L Reference: up to 3.4" in told and "Reference: 115 to 150" in told
    assert "The “bad” cholesterol" in told and "It may point to anaemia" in told
    assert told.index("To look at") < told.index("All results") < told.index("Blood lipids")
    assert "they don't replace a doctor" in told and "it is written down" in told
    assert f'<p class="mute mt-3 asis" lang="zh-CN">{CONCLUSION}</p>' in page.text
    assert page.text.count('class="range__at"') == 2, "a bar for numbers, none for words"


def test_in_chinese_the_hospitals_own_names_stand(visitor: Visitor, report_id: str) -> None:
    visitor.language = "zh"
    page = visitor.get(f"/reports/{report_id}")
    assert heads(page) == ["低密度脂蛋白胆固醇", "心电图", "血红蛋白"]
    assert "参考范围" in main(page) and "不高于 3.4" in main(page) and "坏胆固醇" in main(page)
    assert "偏高" in main(page) and "偏低" in main(page) and "不代替医生" in main(page)


def test_page_and_api_agree(app: Flask, visitor: Visitor, report_id: str) -> None:
    token = issue_token("13800000021", NOON).token
    answer = app.test_client().get(f"/api/v1/reports/{report_id}", headers={"Authorization": f"Bearer {token}"})
    told = answer.get_json()
    visitor.language = "zh"
    page = visitor.get(f"/reports/{report_id}")
    flagged = [result["name"] for result in told["results"] if result["flag"] not in ("", "normal")]
    assert heads(page) == flagged
    assert len(flagged) == told["abnormal"] and len(told["results"]) == told["items"] == 5
    names = re.findall(r'<dt class="grow">([^<]+)', page.text)
    assert sorted(names) == sorted(result["name"] for result in told["results"])


def test_a_corrected_report_shows_its_version_and_says_so(visitor: Visitor, world: World) -> None:
    booking = world.submit()
    deliver(world, booking)
    mended = (ITEMS[0], replace(ITEMS[2], value="3.10", flag="normal", note="复核后更正"))
    public_id = deliver(world, booking, 2, items=mended, now=LATER)
    told = main(visitor.get(f"/reports/{public_id}"))
    assert "version 2" in told and "The hospital has corrected this report" in told
    assert "All 2 results within range" in told and "复核后更正" in told
    assert "Corrected, version 2" in main(visitor.get("/reports"))


def test_a_partial_report_says_that_more_comes(visitor: Visitor, world: World) -> None:
    public_id = deliver(world, world.submit(), status="partial", items=ITEMS[:1])
    assert "Some results are still to come" in main(visitor.get(f"/reports/{public_id}"))


def test_a_report_without_items_points_to_the_document(visitor: Visitor, world: World) -> None:
    public_id = deliver(world, world.submit(), items=())
    page = visitor.get(f"/reports/{public_id}")
    assert "The results are in the document" in main(page) and "All results" not in main(page)
    assert f'href="/reports/{public_id}/document"' in page.text


def test_what_a_provider_writes_is_text_and_nothing_else(visitor: Visitor, world: World) -> None:
    wild = (
        ReportItem(HOSTILE, HOSTILE, "8480-6", HOSTILE, float(10**300), -1.0, HOSTILE, HOSTILE, HOSTILE),
        ReportItem("x" * 3_000, "nan", "\u202e", "", None, None, "high", ""),
        ReportItem("", "5", "", "", 5.0, 5.0, "", ""),
        ReportItem("零", "0", "", "", None, 0.0, "abnormal", ""),
    )
    public_id = deliver(world, world.submit(), items=wild, conclusion=HOSTILE)
    for visitor.language in ("en", "zh"):
        page = visitor.get(f"/reports/{public_id}")
        assert page.status_code == 200
        assert "<script>alert" not in page.text and "</script>49" not in main(page)
        assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize(
    ("number", "low", "high"),
    [
        (6.4, 3.9, 6.1),
        (2.0, 3.9, 6.1),
        (3.92, None, 3.4),
        (40.0, None, 3.4),
        (0.5, 1.0, None),
        (9.0, 1.0, None),
        (-3, -2, 2),
    ],
)
def test_a_bar_holds_reference_and_value_in_their_order(number: float, low: float | None, high: float | None) -> None:
    drawn = bar(number, low, high)
    assert drawn is not None
    assert 0 <= drawn.low < drawn.high <= 100 and 0 <= drawn.at <= 100
    assert (drawn.at > drawn.high) == (high is not None and number > high)
    assert (drawn.at < drawn.low) == (low is not None and number < low)


@pytest.mark.parametrize("figures", [(None, 1, 2), (1, None, None), (1, -1e308, 1e308), (0, 0, 0), (0, None, 0)])
def test_without_a_sensible_reference_there_is_no_bar(figures: tuple[float | None, ...]) -> None:
    assert bar(*figures) is None


def test_a_reference_is_told_in_the_readers_words(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert [reference(3.9, 6.1), reference(None, 3.40), reference(1.0, None), reference(None, None)] == [
            "3.9 至 6.1", "不高于 3.4", "不低于 1", "",
        ]  # fmt: skip


# --- the document ----------------------------------------------------------------------------------------------------


def test_the_document_opens_in_the_browser_and_reaches_nothing(visitor: Visitor, report_id: str) -> None:
    answer = visitor.get(f"/reports/{report_id}/document")
    assert (answer.status_code, answer.data, answer.content_type) == (200, PDF, "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    (policy,) = answer.headers.getlist("Content-Security-Policy")
    assert "default-src 'none'" in policy and "allow-" not in policy
    shown = answer.headers["Content-Disposition"]
    assert shown.startswith('inline; filename="report-2026-03-10-v1.pdf"; filename*=UTF-8')
    assert "沈" not in shown and "ETag" not in answer.headers and "Last-Modified" not in answer.headers
    assert looks(report_id) == ["report.downloaded"]


def test_every_way_of_asking_is_a_look_or_shows_nothing(visitor: Visitor, report_id: str) -> None:
    for path in (f"/reports/{report_id}", f"/reports/{report_id}/document"):
        before = len(looks(report_id))
        again = visitor.get(path, headers={"If-None-Match": "*", "If-Modified-Since": "Mon, 02 Mar 2099 00:00:00 GMT"})
        assert again.status_code == 200 and len(looks(report_id)) == before + 1
        part = visitor.get(path, headers={"Range": "bytes=0-3"})
        assert part.status_code == 200 and len(looks(report_id)) == before + 2
        head = visitor.client.head(path)
        assert head.data == b"" and len(looks(report_id)) == before + 3
        assert again.headers["Cache-Control"] == "no-store"
        for name, value in (("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Purpose", "x")):
            ahead = visitor.get(path, headers={name: value})
            if name == "X-Purpose":
                assert ahead.status_code == 200 and len(looks(report_id)) == before + 4
            else:
                assert (ahead.status_code, ahead.data) == (503, b"") and len(looks(report_id)) == before + 3


# --- not hers --------------------------------------------------------------------------------------------------------


def test_somebody_elses_report_is_not_there(app: Flask, world: World, report_id: str) -> None:
    join(world.provider, world.offer, world.slots, phone="13800000048")
    other = Visitor.signed_in(app, "13800000048")
    not_there = main(other.get("/reports/rpt_00000000000000000000"))
    for path in (f"/reports/{report_id}", f"/reports/{report_id}/document"):
        answer = other.get(path)
        assert answer.status_code == 404 and main(answer) == not_there
    assert report_id not in other.get("/reports").text
    assert looks(report_id) == []


def test_without_a_session_one_is_asked_to_sign_in_first(app: Flask, report_id: str) -> None:
    for path in ("/reports", f"/reports/{report_id}", f"/reports/{report_id}/document"):
        answer = Visitor(app).get(path)
        assert answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in?next=")
    assert looks(report_id) == []


@pytest.mark.parametrize(
    "odd", ["x", "x" * 65, "rpt_%00", "..%2F..%2Fme", "%F0%9F%92%A9", "rpt_'; DROP TABLE report;--"]
)
def test_an_odd_address_is_not_there(visitor: Visitor, odd: str) -> None:
    assert visitor.get(f"/reports/{odd}").status_code == 404
    assert visitor.get(f"/reports/{odd}/document").status_code == 404


def test_a_deleted_report_is_gone(visitor: Visitor, report_id: str, owner_connection: Connection) -> None:
    owner_connection.execute(text("UPDATE report_version SET wrapped_key = NULL"))
    assert visitor.get(f"/reports/{report_id}").status_code == 404
    assert visitor.get(f"/reports/{report_id}/document").status_code == 404
    assert report_id not in visitor.get("/reports").text


def test_a_report_of_another_world_does_not_appear(visitor: Visitor) -> None:
    stranger = make_world(phone="13800000049")
    public_id = deliver(stranger, stranger.submit())
    assert public_id not in visitor.get("/reports").text
