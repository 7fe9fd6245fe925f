"""The receiver of the handbook, as it stands there, takes what we send and nothing else."""

from __future__ import annotations

import re
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from booking.webhooks import endpoints, events
from booking.webhooks.make import make_deliveries
from marketplace.core.config import ROOT
from tests.booking.webhooks.hooks import BY, add, confirmed, real_now, send_due
from tests.people import NOON
from tests.world import World


def test_the_receiver_of_the_handbook_verifies_what_we_send(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = add(world, "http://127.0.0.1:9/anxiang")
    assert made.secret is not None
    monkeypatch.setenv("ANXIANG_WEBHOOK_SECRET", made.secret)
    [source] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/partner/webhooks.md").read_text(), re.S)
    receiver: dict[str, Any] = {"__name__": "receiver"}
    exec(source, receiver)  # noqa: S102
    server = make_server("127.0.0.1", 0, receiver["app"])
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/anxiang"
        endpoints.change(world.provider.id, made.id, url, events.TYPES, "active", by=BY, now=NOON)
        booking = confirmed(world)
        make_deliveries(now=NOON)
        assert send_due(real_now()) == ["done"]
        assert booking in capsys.readouterr().out
        endpoints.add_secret(world.provider.id, made.id, by=BY, now=NOON)
        endpoints.end_secret(world.provider.id, made.id, made.secrets[0].id, by=BY, now=NOON)
        assert send_due(real_now()) == ["again"], "signed with a secret that this receiver does not know"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=20)
