"""A provider's test mode: what it does to order, for test bookings alone (docs/partner/conformance.md).

Test bookings are those whose reference of ours begins with TEST_PREFIX. Without a test mode the steps that need it are
not tried; where a protocol has none at all (FHIR), they are not asked of it either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

from providers.adapters.http import HttpClient
from providers.adapters.signed_calls import SignedCalls
from providers.conformance.step import NotTried
from providers.conformance.words import phrase
from providers.port import Connection, ProviderError
from providers.reported import RemoteSlot

NO_MODE = phrase("no-test-mode", "该服务方没有测试模式", "the provider has no test mode")
MODE_WITHOUT = phrase("test-mode-without", "测试模式没有 {call}", "the test mode has no {call}")
NO_EVENTS = phrase("sends-no-events", "这类系统不发送事件", "this kind of system sends no events")


class TestMode(Protocol):
    """What can be ordered. Each raises NotTried where the provider does not offer it, ProviderError if it fails.
    `sends_events`: systems of this protocol tell what happens by webhooks."""

    sends_events: bool

    def offered(self) -> tuple[str, str]:
        """Offer and pool that tests should use; blank where the provider does not care. Raises NotTried if there is no
        test mode."""
        ...

    def consultation(self) -> tuple[str, str]:
        """Offer and department of a consultation that tests should open; blank where the provider answers none. Raises
        NotTried if there is no test mode."""
        ...

    def escort(self) -> tuple[str, str]:
        """Offer and pool of an escort that tests should book; blank where the provider sends nobody. Raises NotTried if
        there is no test mode."""
        ...

    def next_reserve(self, does: str, seconds: float, command: str = "reserve") -> None:
        """The next test booking, or with `open` the next test consultation, is answered so: `hang` (made, and answered
        after so many seconds) or `rate_limited` (not made; come back in so many seconds)."""
        ...

    def move(self, reference: str, action: str) -> None:
        """A test booking goes on: confirm, check_in, start, fulfil; `report` issues its report, or corrects it. In a
        test consultation a doctor says some words (`say`), shows a `picture` or closes with a summary (`summarise`).
        In a test escort somebody else is named (`assigned`), does not come (`released`), or who comes does what is
        named (`met`, `paper` and so on)."""
        ...

    def forget(self, reference: str) -> None:
        """Remove a test booking altogether."""
        ...

    def set_slot(self, slot: RemoteSlot, offered: int | None, *, closed: bool = False) -> None:
        """Another number of places, None for the usual one; or not on sale."""
        ...

    def webhooks(self, url: str | None) -> None:
        """Where events about test bookings go; None: where all go."""
        ...


class OpenTestMode:
    """The open protocol's: below `/test` of its base URL, with the same API key."""

    sends_events = True

    def __init__(self, connection: Connection) -> None:
        headers = {"Authorization": f"Bearer {connection.secret}", "Accept": "application/json"}
        self._http = HttpClient(
            connection.provider,
            connection.base_url,
            headers,
            connection.deadline_seconds,
            networks=connection.networks,
        )

    def _ask(self, verb: str, path: str, payload: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        reply = self._http.call(verb, f"/test{path}", deadline=self._http.deadline(), payload=payload)
        if reply.status in (404, 405, 501):
            raise NotTried(MODE_WITHOUT(call=f"{verb} /test{path.split('/')[0] or '/' + path.split('/')[1]}"))
        if not 200 <= reply.status < 300:
            raise ProviderError(f"the test mode answered {reply.status}")
        return reply.json() if reply.body else {}

    def _told(self) -> Mapping[str, Any]:
        reply = self._http.call("GET", "/test", deadline=self._http.deadline())
        if reply.status != 200:
            raise NotTried(NO_MODE())
        return reply.json()

    def offered(self) -> tuple[str, str]:
        """GET /test."""
        told = self._told()
        return str(told.get("offer") or ""), str(told.get("pool") or "")

    def consultation(self) -> tuple[str, str]:
        """`consultation` of GET /test."""
        told = self._told().get("consultation")
        return (str(told.get("offer") or ""), str(told.get("department") or "")) if isinstance(told, dict) else ("", "")

    def escort(self) -> tuple[str, str]:
        """`escort` of GET /test."""
        told = self._told().get("escort")
        return (str(told.get("offer") or ""), str(told.get("pool") or "")) if isinstance(told, dict) else ("", "")

    def next_reserve(self, does: str, seconds: float, command: str = "reserve") -> None:
        """POST /test/next."""
        self._ask("POST", "/next", {"command": command, "does": does, "seconds": seconds})

    def move(self, reference: str, action: str) -> None:
        """POST /test/bookings/{reference}/{action}."""
        self._ask("POST", f"/bookings/{quote(reference, safe='')}/{action}", {})

    def forget(self, reference: str) -> None:
        """DELETE /test/bookings/{reference}."""
        self._ask("DELETE", f"/bookings/{quote(reference, safe='')}")

    def set_slot(self, slot: RemoteSlot, offered: int | None, *, closed: bool = False) -> None:
        """PUT /test/slots/{slot}."""
        self._ask("PUT", f"/slots/{quote(slot.reference, safe='')}", {"offered": offered, "closed": closed})

    def webhooks(self, url: str | None) -> None:
        """PUT /test/webhooks."""
        self._ask("PUT", "/webhooks", {"url": url})


class SignedTestMode:
    """The day-capacity interface's: methods `test.…`, signed as all."""

    sends_events = False

    def __init__(self, connection: Connection) -> None:
        self._calls = SignedCalls(connection)

    def _ask(self, method: str, biz: Mapping[str, Any]) -> Mapping[str, Any]:
        told = self._calls.ask(method, biz, self._calls.deadline())
        if told.code == 1001:
            raise NotTried(MODE_WITHOUT(call=method))
        if told.code != 0:
            raise ProviderError(f"the test mode answered with code {told.code}")
        return told.data if isinstance(told.data, dict) else {}

    def offered(self) -> tuple[str, str]:
        """test.query."""
        try:
            told = self._ask("test.query", {})
        except NotTried as error:
            raise NotTried(NO_MODE()) from error
        return str(told.get("packageCode") or ""), str(told.get("orgCode") or "")

    def consultation(self) -> tuple[str, str]:
        """Such a system answers none."""
        return "", ""

    def escort(self) -> tuple[str, str]:
        """Such a system sends nobody of whom it tells."""
        return "", ""

    def next_reserve(self, does: str, seconds: float, command: str = "reserve") -> None:
        """test.next, which knows of bookings alone."""
        self._ask("test.next", {"does": does, "seconds": seconds})

    def move(self, reference: str, action: str) -> None:
        """test.move."""
        self._ask("test.move", {"orderNo": reference, "action": action})

    def forget(self, reference: str) -> None:
        """test.forget."""
        self._ask("test.forget", {"orderNo": reference})

    def set_slot(self, slot: RemoteSlot, offered: int | None, *, closed: bool = False) -> None:
        """test.schedule."""
        biz = {"orgCode": slot.pool, "scheduleDate": slot.service_date.isoformat(), "total": offered}
        self._ask("test.schedule", {**biz, "status": 0 if closed else 1})

    def webhooks(self, url: str | None) -> None:
        """Such a system sends none."""
        raise NotTried(NO_EVENTS())


TEST_MODES: Mapping[str, type[OpenTestMode] | type[SignedTestMode]] = {
    "day_capacity": SignedTestMode,
    "open_protocol": OpenTestMode,
}
"""The test mode of each adapter's protocol, one line each."""
