"""The provider desk: the connection of its programs."""

from __future__ import annotations

from datetime import timedelta

from booking.health import histogram
from booking.health.answers import ANSWERS
from booking.health.backlog import Backlog
from booking.health.counts import Came
from booking.health.figures import NONE, Figures, Point, Window
from booking.health.own import Fault, OwnHealth
from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from booking.webhooks.contacts import Contact
from booking.webhooks.deliveries import Delivery
from booking.webhooks.endpoints import Endpoint, LiveSecret
from marketplace.clients.credentials import LONGEST_NAME, MOST, Credentials
from marketplace.clients.listing import Client, Secret
from marketplace.core.text import Language
from marketplace.web.desk.setup import fault_words, health_page, words
from marketplace.web.doors.problems import Problem
from marketplace.web.parts import Form
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context, at, zh_en

URL = "https://hooks.example/anxiang/bookings-of-the-health-check-centre"


def _client(ended: bool = False) -> Client:
    secrets = () if ended else (Secret("sec_1", at(11, 1, 9), at(11, 23, 8)), Secret("sec_2", at(11, 22, 9), None))
    name = zh_en("体检系统", "Hall system")
    return Client("cli_0123456789abcdefghij", name, ("bookings", "slots", "reports"), ended, secrets)


def _hook(state: str = "active", reason: str = "", failing: bool = False) -> Endpoint:
    secrets = (LiveSecret("whs_1", at(11, 1, 9)), LiveSecret("whs_2", at(11, 22, 9)))
    types = ("booking.requested", "booking.cancelled", "booking.moved")
    since = at(11, 20, 9)
    return Endpoint("whe_1", URL, types, state, reason, since, since if failing else None, since, secrets)


HOOKS = {
    "active": _hook(),
    "failing": _hook(failing=True),
    "asked": _hook("paused", "asked"),
    "stopped": _hook("paused", "failing"),
    "gone": _hook("ended", "gone"),
}


def connection(none: bool = False) -> Context:
    """What is connected; nothing yet."""
    languages: tuple[Language, ...] = ("zh", "en")
    return desk_page(
        "setup",
        programs=() if none else (_client(), _client(ended=True)),
        hooks=() if none else tuple((it, words.endpoint_pill(it)) for it in HOOKS.values()),
        mails=() if none else tuple(Contact(f"it-{language}@hospital.example", language) for language in languages),
        letters=dict(words.languages()),
    )


def program_new() -> Context:
    """The form, refused."""
    wrong = {
        "name": zh_en("必填。", "This is needed."),
        "scopes": zh_en("请至少选择一项。", "Choose at least one."),
    }
    page = {"form": Form({"key": "k"}, wrong), "chosen": ("slots",), "scopes": words.scopes()}
    return desk_page("setup", problem=None, longest=LONGEST_NAME, most=MOST, **page)


def program(ended: bool = False, made: bool = False, again: bool = False) -> Context:
    """A client: with a secret that was just made, ended, or refused without a recent sign-in."""
    page = _client(ended)
    scopes = tuple(text for code, text in words.scopes() if code in page.scopes)
    secret = Credentials(page.id, "sec_2", "axs_c1Q4sT7vX0zB3dF6hJ9lN2pR5tV8xZ1bD4fH7jL0nP3") if made else None
    problem = Problem(zh_en("请重新登录。", "Sign in once more, then do this within 15 minutes."), again=True)
    return desk_page("setup", page=page, scopes=scopes, problem=problem if again else None, made=secret, key="k")


def hook_new() -> Context:
    """The form, refused."""
    wrong = {"url": zh_en("地址必须以 https 开头。", "The address must begin with https.")}
    form = Form({"url": "http://hooks.example", "key": "k"}, wrong)
    chosen = ("booking.requested", "booking.cancelled")
    return desk_page("setup", form=form, chosen=chosen, types=words.event_types(), problem=None)


def hook(kind: str = "active", made: bool = False) -> Context:
    """An endpoint, as it may be."""
    it = HOOKS[kind]
    return desk_page(
        "setup",
        page=it,
        pill=words.endpoint_pill(it),
        reason=words.endpoint_reason(it),
        form=Form({"url": it.url}),
        chosen=tuple(it.event_types),
        types=words.event_types(),
        problem=None,
        secret="whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDazbY2Wyq3dM=" if made else "",
        key="k",
    )


def _delivery(number: int, state: str, kind: str = "booking.requested", status: int | None = 200) -> Delivery:
    sent, ended = at(11, 23, 9, number), state != "queued"
    return Delivery(
        id=f"whd_{number}", event_id=f"evt_{number}", event_type=kind, version=2,
        booking_id=None if kind == "webhook.test" else f"bkg_{number}", occurred_at=at(11, 23, 8, number), state=state,
        tries=3 if status else 0, next_try=None if ended else at(11, 23, 10), sent_at=sent if status is not None else None,
        url=URL, body_sha256="9f" * 32, status=status or None, answer='{"detail": "maintenance"}' if status == 503 else "",
        error="" if status else "timeout", milliseconds=120, finished_at=sent if ended else None, created_at=sent,
    )  # fmt: skip


def deliveries(none: bool = False, wrong: bool = False) -> Context:
    """The log; an empty one; with a span that was refused."""
    found = (
        _delivery(1, "queued", status=503),
        _delivery(2, "failed", "booking.moved", status=0),
        _delivery(3, "done"),
        _delivery(4, "done", "webhook.test"),
        _delivery(5, "dropped", "booking.updated", status=None),
    )
    errors = {"until": zh_en("时间范围过长。", "This span is too long.")}
    return desk_page(
        "setup",
        page=HOOKS["active"],
        rows=() if none else tuple((it, words.delivery_pill(it), words.event(it.event_type)) for it in found),
        states=(("", zh_en("全部", "All")), *words.delivery_states()),
        state="",
        more_url="" if none else "/gallery/desk_deliveries",
        form=Form({"since": "2026-11-22T08:00", "until": "2026-11-24T08:00"}, errors) if wrong else Form(),
        problem=None,
        key="k",
        faults=() if none else shown_faults()[:2],
    )


def health(kind: str = "slow") -> Context:
    """A provider's own figures and faults: slow; one that answers at the desk, without any."""
    here = kind == "here"
    figures = Figures({Came.SUCCEEDED: 52, Came.TIMED_OUT: 3}, tuple(histogram.counted((400.0,) * 55)))
    points = tuple(Point(at(11, 22, 10) + timedelta(hours=n), NONE if here or n == 5 else figures) for n in range(24))
    found = OwnHealth(
        Window.DAY,
        here,
        {} if here else {"commands": figures, ANSWERS: figures},
        points,
        points,
        Backlog() if here else Backlog(2, at(11, 23, 9), 5, 1, 3, 1),
        None if here else AnswersSlowly(at(11, 23, 9), SlowReason.NOT_TAKEN),
        False,
    )
    page = health_page.page(found, ZONE, at(11, 23, 10))
    return desk_page("setup", it=page, faults=() if here else shown_faults(), more_url="" if here else "#")


def shown_faults() -> tuple[health_page.FaultRow, ...]:
    """A row that could not be used, and one fault of each other kind."""
    row = Fault("unreadable_row", "HEX261120AB", "AX7K2M914Q", at(11, 22, 9), "bookings", "status.unknown", 14)
    others = (Fault(kind, "R-20261120-77", None, at(11, 21, 9)) for kind in fault_words.WORDS if kind != row.kind)
    return tuple(map(health_page.fault, (row, *others)))


def contacts() -> Context:
    """The form, with a line that was refused."""
    values = {"email0": "it@hospital.example", "language0": "en", "email1": "it@"}
    wrong = {"email1": zh_en("这不是邮箱地址。", "This is not an e-mail address.")}
    return desk_page("setup", form=Form(values, wrong), most=5, letters=words.languages(), problem=None)
