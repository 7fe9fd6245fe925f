"""GET /live/stream: one page's stream, from its ticket to its end."""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from booking.live import reader
from booking.live.place import LONGEST, Place, parse
from booking.live.tickets import redeem
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import Busy, Unauthenticated
from marketplace.live.hub import Hub, told
from marketplace.live.page import TOO_SLOW, Page, message

BEAT_SECONDS = 15.0
"""A sign of life so often: proxies keep the connection, and the page notices that it has died."""
STUCK_SECONDS = 20.0
"""A page that takes nothing for so long is dropped."""
AGAIN_SECONDS = "10"


async def stream(request: Request) -> Response:
    """Open a stream. `ticket` is of POST /live/ticket; `after` is the last id that the page has, as is a program's
    Last-Event-ID. 401 for a ticket that opens nothing, 503 where there is no room."""
    hub: Hub = request.app.state.hub
    if hub.full or hub.stopping or not hub.well:
        return _busy()
    try:
        opened = await hub.ask(partial(redeem, request.query_params.get("ticket", ""), now=clock.now()))
    except Unauthenticated:
        return PlainTextResponse("unauthenticated\n", 401, _headers())
    except (SQLAlchemyError, Busy):
        return _busy()
    after = request.query_params.get("after", "") or request.headers.get("last-event-id", "")
    page = Page(opened.session_id, opened.scope)
    return Stream(hub, page, parse(after[: LONGEST + 1], now=clock.now()))


class Stream(Response):
    """What is written to one page, until it goes, is too slow, or its session ends."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, page: Page, since: Place | None) -> None:
        super().__init__(None, 200, {**_headers(), "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub, self._page, self._since = hub, page, since

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Two tasks of our own: the server's is not one that can be told to end."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        loop = asyncio.get_running_loop()
        tasks = {loop.create_task(self._write(send)), loop.create_task(_gone(receive))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        page, hub = self._page, self._hub
        try:
            until = await hub.join(page)
            await _send(send, await self._first(until))
            while not page.ended:
                found = await page.next(BEAT_SECONDS)
                if found:
                    await _send(send, found)
                elif not page.ended:
                    await _send(send, message("beat", {}, hub.place))
            await _send(send, message("end", {"why": page.ended}))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            page.end(TOO_SLOW)
        finally:
            hub.leave(page)

    async def _first(self, until: Place) -> bytes:
        """Whether what the page missed follows, and that; else it has to look at everything anew."""
        missed = None
        if self._since is not None:
            missed = await self._hub.ask(partial(reader.missed, self._since, until, self._page.topics))
        place = until.text()
        if missed is None:
            return message("anew", {}, place)
        return message("on", {}) + (message("", told(missed), place) if missed else message("beat", {}, place))


async def _send(send: Send, body: bytes) -> None:
    """Raises TimeoutError where the page takes nothing."""
    async with asyncio.timeout(STUCK_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    """Until the browser has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _busy() -> Response:
    return PlainTextResponse("busy\n", 503, {"Retry-After": AGAIN_SECONDS, **_headers()})


def _headers() -> dict[str, str]:
    """No cache keeps a stream. Where pages come from another port, as in development, they alone may read it."""
    found = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    if settings().stream_url:
        found |= {"Access-Control-Allow-Origin": settings().public_url, "Vary": "Origin"}
    return found
