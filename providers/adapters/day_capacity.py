"""The usual Chinese check-up partner interface (docs/day-capacity-protocol.md): places per day, errors inside HTTP 200.

There is no call to change an order, no idempotency key and no push; times have no zone and are read in the provider's.

What an answer to a command means:
  code 0 about our order, on that day    Confirmed, Accepted, or Refused as its status says
  1010 to 1015, 1001                     Refused
  1020 (no such order)                   NotFound
  1021 on a cancel                       asked again what stands: Confirmed if it is cancelled, else Refused
  1002 to 1004 (signature, key, clock)   RetryAfter: nothing was looked at; an operator has to fix it
  1005 to 1007 (too often, closed)       RetryAfter: the contract says that nothing was taken
  no connection came about               RetryAfter
  1022 (our number is used already)      Unknown: something exists under it
  everything else                        Unknown: 1099, a code we do not know, another status than 200, garbage, an
                                         answer without our number or about another day
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from marshmallow import Schema

from marketplace.core.logging import get_logger
from marketplace.core.text import Text
from providers.adapters import fields
from providers.adapters.changes_by_time import (
    HISTORY_DAYS,
    OVERLAP_SECONDS,
    Check,
    Window,
    anything,
    next_window,
    page_of,
    tokens,
)
from providers.adapters.checkup_wire import (
    CANCELLED,
    REFUSED,
    Order,
    create_body,
    day_named,
    order_named,
    read_day,
    read_order,
    read_report,
    report_content,
    report_named,
)
from providers.adapters.http import Deadline, NoAnswer
from providers.adapters.rows import read_rows
from providers.adapters.settings import About, AdapterSettings, text, whole
from providers.adapters.signed_calls import SignedCalls, Told
from providers.port import (
    Accepted,
    Answer,
    BadSignature,
    Cancel,
    Capabilities,
    Change,
    ComeBackLater,
    Confirmed,
    Connection,
    Decline,
    LookUp,
    NotAuthorised,
    NotFound,
    ProviderError,
    Refused,
    Reserve,
    RetryAfter,
    Unknown,
)
from providers.reported import (
    BookingPage,
    Event,
    RemoteBooking,
    RemoteReport,
    ReportContent,
    ReportPage,
    SlotPage,
    UnreadableRow,
)

NOT_OURS_TO_MEND = (1002, 1003, 1004)
COME_BACK = (1005, 1006, 1007)
NO_SUCH_ORDER, NOT_NOW, NUMBER_USED = 1020, 1021, 1022
UNREACHABLE_SECONDS = 5.0
COME_BACK_SECONDS = 5.0
UNAUTHORISED_SECONDS = 60.0
SCHEDULE_PAGE = 1000
LIST_PAGE = 200

log = get_logger(__name__)


class DayCapacitySettings(AdapterSettings):
    """What such a provider agrees with us."""

    about = About(
        Text("按日放号接口", "Places per day"),
        Text(
            "国内常见的合作方接口：每天的名额，签名调用，错误写在 HTTP 200 里。",
            "The usual partner interface in China: places per day, signed calls, errors inside HTTP 200.",
        ),
        Text("签名密钥", "Secret that signs"),
        Text("贵方发给我们的 app secret。", "The app secret that you gave us."),
    )

    app_key = text(
        Text("App key", "App key"),
        Text("留空则使用我们给贵方的代码。", "Blank: the code that we know you by."),
    )
    history_days = whole(
        Text("首次读取多少天的订单", "Days of orders that are read the first time"), HISTORY_DAYS, least=1, most=3650
    )
    overlap_seconds = whole(
        Text("读取变更时回看的秒数", "Seconds that a pull looks back"),
        OVERLAP_SECONDS,
        least=0,
        most=86400,
        help=Text("避免漏掉晚提交的变更。", "So that what was committed late is not missed."),
    )


class DayCapacity:
    """Adapter of this interface. `connection.secret` signs; the app key is the setting `app_key`, or our code."""

    capabilities = Capabilities(change=False, idempotency_keys=False)
    settings_schema: type[Schema] = DayCapacitySettings

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._calls = SignedCalls(connection)

    # --- commands ----------------------------------------------------------------------------------------------------

    def reserve(self, command: Reserve) -> Answer:
        """order.create. Sent twice it makes two orders."""
        told = self._command("order.create", create_body(command), self._calls.deadline())
        if not isinstance(told, Told):
            return told
        try:
            order = self._order(told.object(), told)
        except ProviderError as error:
            return Unknown(str(error))
        if order.booking.our_reference != command.our_reference:
            return Unknown("an answer without our reference")
        if (order.org, order.booking.service_date) != (command.pool, command.service_date):
            return Unknown("an order for another day or place")
        return _as_answer(order.booking)

    def decline(self, _command: Decline) -> Answer:
        """Refused: such a system proposes no other times, so there is none to turn down."""
        return Refused("other")

    def cancel(self, command: Cancel) -> Answer:
        """order.cancel; without their number, of every live order under ours. NotFound if there is nothing."""
        deadline = self._calls.deadline()
        if command.reference is not None:
            return self._cancel(command.reference, command, deadline)
        found = self._query({"outOrderNo": command.our_reference}, command.our_reference, deadline)
        if not isinstance(found, list):
            return found
        live = [order for order in found if order.status not in CANCELLED]
        if not live:
            return Confirmed(found[-1].reference, found[-1].version)
        answers = [self._cancel(order.reference, command, deadline) for order in live]
        return next((answer for answer in answers if not isinstance(answer, Confirmed)), answers[0])

    def _cancel(self, reference: str, command: Cancel, deadline: Deadline) -> Answer:
        biz = {"orderNo": reference, "reason": command.reason[:100]}
        told = self._command("order.cancel", biz, deadline)
        if isinstance(told, Refused) and told.code == "not_now":
            return self._after_refusal(reference, command, deadline)
        if not isinstance(told, Told):
            return told
        try:
            order = self._order(told.object(), told).booking
        except ProviderError as error:
            return Unknown(str(error))
        if (order.reference, order.our_reference or "") != (reference, command.our_reference):
            return Unknown("an answer without our reference")
        return Confirmed(reference, order.version) if order.status in CANCELLED else Unknown("not cancelled after all")

    def _after_refusal(self, reference: str, command: Cancel, deadline: Deadline) -> Answer:
        """The order's state forbids a cancel: because it is cancelled already, or because it is too late."""
        found = self._query({"orderNo": reference}, command.our_reference, deadline)
        if not isinstance(found, list):
            return found
        if found[0].status in CANCELLED:
            return Confirmed(reference, found[0].version)
        return Refused("too_late")

    def change(self, command: Change) -> Answer:
        """There is no such call: nothing is changed."""
        return Refused("other", "this system cannot change an order")

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown | RetryAfter:
        """order.query by their number if we know it, else by ours. Of several orders under our number it is the oldest
        that is live, or the newest if none is."""
        biz = {"outOrderNo": question.our_reference}
        if question.reference is not None:
            biz = {"orderNo": question.reference}
        found = self._query(biz, question.our_reference, self._calls.deadline())
        if not isinstance(found, list):
            return found
        return next((order for order in found if order.status not in CANCELLED), found[-1])

    def _query(
        self, biz: Mapping[str, str], our_reference: str, deadline: Deadline
    ) -> list[RemoteBooking] | NotFound | Unknown | RetryAfter:
        """The orders, the oldest first, at least one."""
        told = self._command("order.query", biz, deadline)
        if isinstance(told, Refused):
            return Unknown(f"refused to look up: {told.code}")
        if not isinstance(told, Told):
            return told
        try:
            orders = [self._order(item, told) for item in fields.objects_at(told.object(), "orders")]
        except ProviderError as error:
            return Unknown(str(error))
        if any((order.booking.our_reference or "") != our_reference for order in orders):
            return Unknown("an answer without our reference")
        return [order.booking for order in sorted(orders, key=lambda order: order.created)] or NotFound()

    def _command(
        self, method: str, biz: Mapping[str, Any], deadline: Deadline
    ) -> Told | Refused | NotFound | Unknown | RetryAfter:
        """The envelope if its code is 0, else what the code means."""
        try:
            told = self._calls.ask(method, biz, deadline)
        except NoAnswer as error:
            return Unknown(error.reason) if error.sent else RetryAfter(UNREACHABLE_SECONDS, reached=False)
        except ComeBackLater as error:
            return RetryAfter(error.retry_after)
        except ProviderError as error:
            return Unknown(str(error))
        if told.code == 0:
            return told
        if told.code in REFUSED:
            return Refused(REFUSED[told.code])
        if told.code == NO_SUCH_ORDER:
            return NotFound()
        if told.code == NOT_NOW:
            return Refused("not_now")
        if told.code in COME_BACK:
            return RetryAfter(_seconds(told.data))
        if told.code in NOT_OURS_TO_MEND:
            log.error("provider.key_not_accepted", provider=self._connection.provider, code=told.code)
            return RetryAfter(UNAUTHORISED_SECONDS)
        if told.code == NUMBER_USED:
            return Unknown("an order under our number exists already")
        return Unknown(f"code {told.code}")

    def _order(self, body: Mapping[str, Any], told: Told) -> Order:
        return read_order(body, self._connection.time_zone, told.server_time)

    # --- reads -------------------------------------------------------------------------------------------------------

    def slots(self, start: date, end: date, cursor: str | None, page: str | None) -> SlotPage:
        """schedule.query, up to 1,000 days at once. Everything is told each time: it cannot tell what changed."""
        number = page_of(page)
        biz = {
            "startDate": start.isoformat(),
            "endDate": end.isoformat(),
            "pageNo": number,
            "pageSize": SCHEDULE_PAGE,
        }
        rows = fields.rows_at(self._read("schedule.query", biz).object(), "schedules")
        following = str(number + 1) if len(rows) >= SCHEDULE_PAGE else None
        days, unreadable = read_rows(rows, read_day, day_named)
        return SlotPage(days, following, None, unreadable)

    def bookings_since(self, cursor: str | None, page: str | None) -> BookingPage:
        """order.list. Looks back a while each time, so that what was committed late is seen too."""
        window = self._window(cursor, page)
        told = self._read("order.list", window.asked("updateTime", LIST_PAGE))
        rows = fields.rows_at(told.object(), "orders")
        following = self._next(window, rows, "updateTime", told)
        orders, unreadable = self._orders(rows, told, window.check("updateTime"))
        return BookingPage(orders, *tokens(following), unreadable)

    def bookings_in(self, start: date, end: date, page: str | None) -> BookingPage:
        """order.list by the days of the orders, both ends included. Orders are added at its end and never leave it."""
        number = page_of(page)
        biz = {
            "scheduleDateStart": start.isoformat(),
            "scheduleDateEnd": end.isoformat(),
            "pageNo": number,
            "pageSize": LIST_PAGE,
        }
        told = self._read("order.list", biz)
        rows = fields.rows_at(told.object(), "orders")
        following = str(number + 1) if len(rows) >= LIST_PAGE else None
        orders, unreadable = self._orders(rows, told)
        return BookingPage(orders, following, None, unreadable)

    def _orders(
        self, rows: Sequence[Any], told: Told, check: Check = anything
    ) -> tuple[list[RemoteBooking], list[UnreadableRow]]:
        def read(row: Mapping[str, Any]) -> RemoteBooking:
            check(row)
            return self._order(row, told).booking

        return read_rows(rows, read, order_named)

    def reports_since(self, cursor: str | None, page: str | None) -> ReportPage:
        """report.list, read like order.list."""
        window = self._window(cursor, page)
        told = self._read("report.list", window.asked("reportTime", LIST_PAGE))
        rows = fields.rows_at(told.object(), "reports")
        following = self._next(window, rows, "reportTime", told)
        zone, check = self._connection.time_zone, window.check("reportTime")

        def read(row: Mapping[str, Any]) -> RemoteReport:
            check(row)
            return read_report(row, zone, told.server_time)

        reports, unreadable = read_rows(rows, read, report_named)
        return ReportPage(reports, *tokens(following), unreadable)

    def fetch_report(self, report: RemoteReport) -> ReportContent:
        """report.fetch: items and the PDF in one answer."""
        told = self._read("report.fetch", {"reportNo": report.reference, "reportVersion": report.version})
        content = report_content(told.object(), self._connection.time_zone, told.server_time)
        if (content.report.reference, content.report.version) != (report.reference, report.version):
            raise ProviderError("another report than the one asked for")
        return content

    def _window(self, cursor: str | None, page: str | None) -> Window:
        return Window.open(cursor, page, self._calls.wall_clock(), self._connection.settings)

    def _next(self, window: Window, rows: Sequence[Any], name: str, told: Told) -> Window | str:
        return next_window(window, rows, name, LIST_PAGE, told.server_time, self._connection.settings)

    def _read(self, method: str, biz: Mapping[str, Any]) -> Told:
        told = self._calls.ask(method, biz, self._calls.deadline())
        if told.code in COME_BACK:
            raise ComeBackLater(f"code {told.code}", _seconds(told.data))
        if told.code in NOT_OURS_TO_MEND:
            raise NotAuthorised(f"code {told.code}")
        if told.code != 0:
            raise ProviderError(f"code {told.code}")
        return told

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Event:
        """This system sends none, so whatever comes is not from it."""
        raise BadSignature("this provider sends no events")


def _as_answer(order: RemoteBooking) -> Answer:
    if order.status == "requested":
        return Accepted(order.reference, order.version)
    if order.status == "rejected":
        return Refused(order.reason or "other")
    if order.status == "confirmed":
        return Confirmed(order.reference, order.version)
    return Unknown(f"a new order that is {order.status}")


def _seconds(data: Any) -> float:
    """The pause that the provider asks for, or ours."""
    wanted = data.get("retryAfter") if isinstance(data, dict) else None
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool) and 0 <= wanted <= 3600:
        return float(wanted)
    return COME_BACK_SECONDS
