"""A real browser, a server of the sample pages, and visitors of the real ones."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from marketplace.app import create_app
from marketplace.core import clock
from tests.marketplace.web.gallery import create_gallery
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON
from tests.world import World, make_world

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Headless Chromium: the one of `CHROMIUM`, else the machine's own. Without one the tests are skipped, but not in
    continuous integration, where they fail."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium on this machine: install Debian's package chromium")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def gallery() -> Iterator[str]:
    """The address of a server that shows the sample pages."""
    server = make_server("127.0.0.1", 0, create_gallery(), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/gallery"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="session")
def app(worker_database: Any) -> Flask:
    """The application on this worker's database."""
    return create_app()


@pytest.fixture
def world(db: Engine) -> Iterator[World]:
    """A customer with four uses, an offer with three slots; the clock stands at NOON."""
    with clock.frozen(NOON):
        yield make_world(quantity=4)


@pytest.fixture
def visitor(app: Flask, world: World) -> Visitor:
    """The world's customer, signed in, reading English."""
    return Visitor.signed_in(app, "13800000021")


@dataclass
class Site:
    """The application on a port, to be stopped and started again."""

    app: Flask
    server: BaseWSGIServer = field(init=False)
    port: int = 0

    def start(self) -> None:
        self.server = make_server("127.0.0.1", self.port, self.app, threaded=True, request_handler=_Quiet)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture
def site(app: Flask, world: World) -> Iterator[Site]:
    made = Site(app)
    made.start()
    yield made
    made.stop()
