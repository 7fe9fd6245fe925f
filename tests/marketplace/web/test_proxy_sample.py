"""The proxy's sample in deploy/nginx limits every path where somebody could guess a secret."""

from __future__ import annotations

import inspect
import re

import pytest
from flask import Flask

from marketplace.core.config import ROOT

SAMPLE = (ROOT / "deploy" / "nginx" / "anxiang.conf").read_text()
TAKES_A_SECRET = re.compile(r'"(code|codes|old_code|new_code|present|password)"|send_code|ask_code')
LIMITED = re.compile(r"location ~\*? (\S+) \{[^}]*limit_req\s+zone=\w+")
KNOWN = {
    "/sign-in",
    "/sign-in/code",
    "/consent",
    "/shared/<token>",
    "/me/phone/code",
    "/operators/sign-in",
    "/operators/sign-in/code",
    "/operators/password",
    "/operators/second-factor",
    "/api/v1/sessions",
    "/api/v1/sessions/codes",
}
"""Some of them, so that the search for the others is seen to find."""


def takers(app: Flask) -> set[str]:
    """The rules of the routes by which something is sent whose view reads a code or a password."""
    found = set()
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or set()):
            view = inspect.unwrap(app.view_functions[rule.endpoint])
            view = getattr(view, "view_class", view)
            if TAKES_A_SECRET.search(inspect.getsource(view)):
                found.add(rule.rule)
    return found


def test_every_path_that_takes_a_secret_is_limited(app: Flask) -> None:
    found = takers(app)
    assert found >= KNOWN
    limited = [re.compile(each) for each in LIMITED.findall(SAMPLE)]
    assert limited
    left_out = [rule for rule in found if not any(each.search(re.sub(r"<[^>]+>", "x1", rule)) for each in limited)]
    assert sorted(left_out) == []


@pytest.mark.parametrize("path", ["/", "/me", "/bookings/x", "/operators", "/operators/bookings", "/api/v1/bookings"])
def test_other_paths_are_not(path: str) -> None:
    assert not any(re.search(each, path) for each in LIMITED.findall(SAMPLE))


def test_reading_is_not_counted() -> None:
    """Only what is sent takes from the zone: a doctor who reads a shared report guesses nothing."""
    assert re.search(r"map \$request_method \$sender \{[^\n]*\s+POST\s+\$network;\s+default\s+\"\";\s+\}", SAMPLE)
    assert set(re.findall(r"limit_req_zone\s+(\S+)", SAMPLE)) == {"$sender"}
