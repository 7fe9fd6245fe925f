"""The desk's rehearsals."""

from __future__ import annotations

from datetime import timedelta

from booking.faults.kinds import Kind
from booking.faults.plan import LARGEST_SEED, MOST_BOOKINGS
from booking.rehearsals.view import BookingView, OfferView, RehearsalView, StepView
from marketplace.core.text import Text
from marketplace.web.desk.rehearsing import rehearsals_page
from marketplace.web.parts import Form
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import NOW, Context, zh_en

KEY = {"key": "a" * 12, "status": 200, "answer": "confirm"}
TOLD = {"type": "booking.requested", "version": 2, "status": 204}
STEPS = [
    ("customer", "booked", {}),
    ("us", "delivered", TOLD),
    ("partner", "read", {"status": 200}),
    ("partner", "answered", KEY),
    ("us", "answer_lost", {**KEY, "seconds": 2}),
]


def _steps(*more: tuple[str, str, dict[str, object]]) -> list[StepView]:
    lines = [*STEPS, *more]
    return [StepView(NOW + timedelta(seconds=at), by, what, facts) for at, (by, what, facts) in enumerate(lines)]


def _rehearsal(state: str = "done", *, wrong: bool = False) -> RehearsalView:
    again = ("partner", "answered", {**KEY, "key": "b" * 12} if wrong else KEY)
    results = [
        BookingView(
            1,
            "lost_answer",
            2,
            "bkg_4f0c8r2m6x1n7t3v9w5y",
            "wrong" if wrong else "right",
            "other_key" if wrong else "repeated",
            _steps(again),
        ),
        BookingView(2, "duplicate", 0, None, "not_tried", "no_endpoint", []),
        BookingView(3, "gone", 0, None, "waiting" if state == "running" else "right", "", []),
    ]
    over = state in ("done", "stopped")
    return RehearsalView(
        "rhs_4f0c8r2m6x1n7t3v9w5y",
        state,
        "",
        417_330_052,
        ["lost_answer", "duplicate", "gone"],
        3,
        "ofr_x",
        NOW,
        NOW,
        NOW if over else None,
        right=1 if wrong else 2,
        wrong=1 if wrong else 0,
        not_tried=1,
        missed=1,
        results=[] if state == "queued" else results,
    )


def rehearsals(empty: bool = False, wrong: bool = False, nothing: bool = False) -> Context:
    form = Form({"seed": "41733005x" if wrong else "417330052", "bookings": "6", "key": "k"})
    if wrong:
        errors = {
            "seed": zh_en("请填写整数。", "This must be a whole number."),
            "faults": zh_en("请填写此项。", "This is needed."),
        }
        form = Form(form.values, errors)
    known = [_rehearsal("running"), _rehearsal(), _rehearsal(wrong=True), _rehearsal("stopped")]
    offers = [OfferView("ofr_x", Text("基础套餐", "Basic package"))]
    return desk_page(
        "rehearsals",
        rows=[] if empty else [rehearsals_page.row(each) for each in known],
        faults=rehearsals_page.faults(),
        chosen=[] if wrong else list(Kind),
        offers=[] if nothing else rehearsals_page.offers(offers),
        most=MOST_BOOKINGS,
        largest=LARGEST_SEED,
        form=form,
        problem=None,
    )


def rehearsal(state: str = "done", wrong: bool = False) -> Context:
    page = rehearsals_page.rehearsal(_rehearsal(state, wrong=wrong))
    return desk_page("rehearsals", page=page, version='"x"', problem=None, key="k")
