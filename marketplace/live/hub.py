"""Who is told what: one reading of events for all pages of the process, and one look at all their sessions."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from booking.live import reader
from booking.live.place import Place
from booking.live.reader import Event, Lost
from booking.live.topics import scopes
from marketplace.core import clock
from marketplace.core.errors import Busy
from marketplace.core.logging import get_logger
from marketplace.live.page import CHANGED, REPLACED, SESSION_OVER, STOPPING, TOO_SLOW, Page, message

log = get_logger(__name__)
T = TypeVar("T")

READ_SECONDS = 0.15
SESSIONS_SECONDS = 2.0
AFTER_TROUBLE_SECONDS = 1.0
MOST_STREAMS = 4_000
MOST_OF_A_SESSION = 8
"""Tabs share one stream; a browser without the means for that has one a tab. Of more the oldest ends."""
BEHIND_SECONDS = 5.0
"""Where nothing could be read for so long, pages are let go: they ask by themselves then, and a session's end is not
overlooked for longer."""
ASKERS = 3
"""Threads for what pages ask when they come, so that a thousand that come back at once wait for each other and not the
others for them; a fourth one reads for all."""
_TROUBLE = (SQLAlchemyError, Busy)


class Hub:
    """The pages of this process. `delivered` counts what was put to pages, event by event; `dropped` the pages that
    ended since they took too little. `late`: seconds from the writing of the last event until it was read."""

    def __init__(self) -> None:
        self.read_at = 0.0
        self.delivered = 0
        self.dropped = 0
        self.late = 0.0
        self.stopping = False
        self._place: Place | None = None
        self._pages: dict[str, set[Page]] = defaultdict(set)
        self._sessions: dict[int, list[Page]] = defaultdict(list)
        self._count = 0
        self._arriving: list[tuple[Page, asyncio.Future[Place]]] = []
        self._reading = ThreadPoolExecutor(1, "reader")
        self._asking = ThreadPoolExecutor(ASKERS, "asker")
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def streams(self) -> int:
        """How many pages there are, those that are arriving too."""
        return self._count

    @property
    def full(self) -> bool:
        """Whether no page can come any more."""
        return self._count >= MOST_STREAMS

    @property
    def well(self) -> bool:
        """Whether events were read lately."""
        return time.monotonic() - self.read_at < BEHIND_SECONDS

    @property
    def place(self) -> str:
        """How far all pages have been told, for their next id."""
        return self._place.text() if self._place else ""

    def start(self) -> None:
        """Begin to read."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep_reading()), loop.create_task(self._keep_looking())]

    async def stop(self) -> None:
        """End all pages, which come back elsewhere, and stop reading; once is enough."""
        self.stopping = True
        for page in self._all():
            page.end(STOPPING)
        for _, arrived in self._arriving:
            arrived.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._reading.shutdown(wait=False)
        self._asking.shutdown(wait=False)

    async def ask(self, question: Callable[[], T]) -> T:
        """What a page wants of the database."""
        return await asyncio.get_running_loop().run_in_executor(self._asking, question)

    async def join(self, page: Page) -> Place:
        """Let a page in; the place from which on it is told everything. It is one that was read after this call: so
        nothing that any process has told the page before lies behind it."""
        mine = self._sessions[page.session_id]
        mine.append(page)
        self._count += 1
        for older in mine[:-MOST_OF_A_SESSION]:
            older.end(REPLACED)
        arrived: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._arriving.append((page, arrived))
        return await arrived

    def leave(self, page: Page) -> None:
        """Forget a page that came in by join()."""
        self.dropped += page.ended == TOO_SLOW
        for topic in page.topics:
            if topic in self._pages:
                self._pages[topic].discard(page)
                if not self._pages[topic]:
                    del self._pages[topic]
        mine = self._sessions[page.session_id]
        mine.remove(page)
        if not mine:
            del self._sessions[page.session_id]
        self._count -= 1
        self._arriving = [each for each in self._arriving if each[0] is not page]

    async def _keep_reading(self) -> None:
        trouble = False
        while True:
            begun = time.monotonic()
            try:
                await self._read_once()
                if trouble:
                    log.info("live.reads_again")
                trouble = False
            except Exception as failed:  # whatever it is, its streams stay open and are told when it reads again
                if not trouble:
                    log.warning("live.not_read", error=type(failed).__name__)
                trouble = True
            wait = AFTER_TROUBLE_SECONDS if trouble else READ_SECONDS
            await asyncio.sleep(max(0.01, wait - (time.monotonic() - begun)))

    async def _read_once(self) -> None:
        arriving, self._arriving = self._arriving, []
        events: list[Event] = []
        try:
            if self._place is None:
                place = await self._in_turn(partial(reader.begin, now=clock.now()))
            else:
                events, place = await self._in_turn(partial(reader.read, self._place, now=clock.now()))
            self._place = place
        except Lost:
            log.warning("live.numbers_went_back")
            self._place = place = await self._in_turn(partial(reader.begin, now=clock.now()))
            for page in self._all():
                page.put(message("anew", {}, self.place))
        except BaseException:
            self._arriving = arriving + self._arriving
            raise
        self.read_at = time.monotonic()
        self._tell(events)
        for page, arrived in arriving:
            if not arrived.done():
                for topic in page.topics:
                    self._pages[topic].add(page)
                arrived.set_result(place)

    async def _in_turn(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, question)

    def _tell(self, events: Sequence[Event]) -> None:
        """Each page gets what a reading found for it as one message, so that its id stands for all of it."""
        if events:
            self.late = events[-1].late
        mine: dict[Page, list[Event]] = defaultdict(list)
        for event in events:
            for page in {page for topic in event.topics for page in self._pages.get(topic, ())}:
                mine[page].append(event)
        for page, theirs in mine.items():
            shown = told(theirs)
            if page.put(message("", shown, self.place)):
                self.delivered += len(shown)
            else:
                log.info("live.too_slow", streams=self._count)

    async def _keep_looking(self) -> None:
        """End the pages whose sessions have, or are told of something else now."""
        while True:
            await asyncio.sleep(SESSIONS_SECONDS)
            if not self.well:
                for page in self._all():
                    page.end(STOPPING)
            known = list(self._sessions)
            if not known:
                continue
            try:
                going_on = await self.ask(partial(scopes, known, now=clock.now()))
            except _TROUBLE:
                continue
            for session_id in known:
                scope = going_on.get(session_id)
                for page in self._sessions.get(session_id, ()):
                    if page.scope != scope:
                        page.end(SESSION_OVER if scope is None else CHANGED)

    def _all(self) -> list[Page]:
        return [page for mine in self._sessions.values() for page in mine]


def told(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What a page is shown of events: of a booking's versions the last one."""
    last = {event.told["booking"]: event.id for event in events if event.told["kind"] == "booking"}
    return [
        event.told for event in events if event.told["kind"] != "booking" or last[event.told["booking"]] == event.id
    ]
