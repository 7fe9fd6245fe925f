"""What Prometheus reads from a process that delivers streams; each process tells its own."""

from __future__ import annotations

import time
from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from marketplace.live.hub import Hub
from marketplace.metrics import may_read


class LiveFigures(Collector):
    """The figures of a hub, as they are when they are asked for."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterable[Metric]:
        """One value each."""
        hub = self._hub
        yield GaugeMetricFamily("anxiang_live_streams", "Open streams.", value=hub.streams)
        yield GaugeMetricFamily(
            "anxiang_live_read_seconds_ago", "Since events were read last.", value=time.monotonic() - hub.read_at
        )
        yield GaugeMetricFamily(
            "anxiang_live_event_late_seconds", "From the writing of the last event until it was read.", value=hub.late
        )
        yield CounterMetricFamily(
            "anxiang_live_events_delivered", "Events that were put to streams, for each stream.", value=hub.delivered
        )
        yield CounterMetricFamily(
            "anxiang_live_streams_dropped", "Streams that ended since their page took too little.", value=hub.dropped
        )


async def metrics(request: Request) -> Response:
    """GET /live/metrics, for `Authorization: Bearer METRICS_TOKEN` and never through the proxy; 404 for all others."""
    if not may_read(request.headers.get("authorization", "")):
        return PlainTextResponse("Not Found", 404)
    registry = CollectorRegistry()
    registry.register(LiveFigures(request.app.state.hub))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
