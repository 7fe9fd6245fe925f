"""The ASGI application that delivers streams: `granian --interface asgi marketplace.live.app:app`."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from marketplace.core import clock, logging
from marketplace.core.config import ConfigError, settings
from marketplace.core.database.db import require_limits
from marketplace.live.figures import metrics
from marketplace.live.hub import Hub
from marketplace.live.stream import stream

LEAVE_SECONDS = 3.0


async def healthz(request: Request) -> JSONResponse:
    """For who watches, never through the proxy: 503 where no event was read for a while."""
    hub: Hub = request.app.state.hub
    return JSONResponse({"status": "ok" if hub.well else "late", "streams": hub.streams}, 200 if hub.well else 503)


@asynccontextmanager
async def _running(app: Starlette) -> AsyncIterator[None]:
    hub = app.state.hub = Hub()
    hub.start()
    _leave_in_order(hub)
    try:
        yield
    finally:
        await hub.stop()


def _leave_in_order(hub: Hub) -> None:
    """On SIGTERM end the streams first: the server waits for open requests before it tells the application that it
    stops, and streams do not end by themselves. Its own handlers stand already, and ours take their place."""
    loop = asyncio.get_running_loop()
    leaving: list[asyncio.Task[None]] = []

    async def leave() -> None:
        await hub.stop()
        until = loop.time() + LEAVE_SECONDS
        while hub.streams and loop.time() < until:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)  # what was written last is on its way
        loop.remove_signal_handler(signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    def asked() -> None:
        if not leaving:
            leaving.append(loop.create_task(leave()))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)


def create_app() -> Starlette:
    """The application of one process. Raises ConfigError when a setting is missing."""
    config = settings()
    logging.configure(json=not config.development)
    clock.follow_demonstration(development=config.development)
    return Starlette(
        routes=[Route("/live/stream", stream), Route("/live/healthz", healthz), Route("/live/metrics", metrics)],
        lifespan=_running,
    )


try:
    app = create_app()
    require_limits()
except ConfigError as missing:
    sys.exit(str(missing))
gc.freeze()
