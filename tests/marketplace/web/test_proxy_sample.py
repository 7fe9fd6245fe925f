"""The proxy's sample in deploy/nginx limits every path where somebody could guess a secret."""

from __future__ import annotations

import inspect
import re

import pytest
from flask import Flask

from booking.consultation.intake.bounds import LARGEST
from booking.consultation.say import MOST_CHARACTERS
from marketplace.core.config import ROOT
from marketplace.edge import LARGE_FORM

SAMPLE = (ROOT / "deploy" / "nginx" / "anxiang.conf").read_text()
TAKES_A_SECRET = re.compile(r'"(code|codes|old_code|new_code|present|password)"|send_code|ask_code')
LOCATION = re.compile(r"location (=|~\*?|) ?([^\s{@]+) \{([^}]*)\}")
SIZE = re.compile(r"client_max_body_size (\d+)([km])")
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
    "/desk/sign-in",
    "/desk/sign-in/code",
    "/desk/password",
    "/desk/join/<token>",
    "/desk/apply/<token>",
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
    found -= {"/desk/check-in"}  # a booking's code, of those that this member's provider has
    left_out = [rule for rule in found if not any(each.search(re.sub(r"<[^>]+>", "x1", rule)) for each in limited)]
    assert sorted(left_out) == []


@pytest.mark.parametrize("path", ["/", "/me", "/bookings/x", "/operators", "/operators/bookings", "/api/v1/bookings"])
def test_other_paths_are_not(path: str) -> None:
    assert not any(re.search(each, path) for each in LIMITED.findall(SAMPLE))


def test_reading_is_not_counted() -> None:
    """Only what is sent takes from the zone: a doctor who reads a shared report guesses nothing."""
    assert re.search(r"map \$request_method \$sender \{[^\n]*\s+POST\s+\$network;\s+default\s+\"\";\s+\}", SAMPLE)
    assert set(re.findall(r"limit_req_zone\s+(\S+)", SAMPLE)) == {"$sender"}


def passes(path: str) -> int:
    """The most bytes of a body that reaches the product at this path: by what stands there exactly, else by the first
    pattern that fits."""
    found = [(how, each, inside) for how, each, inside in LOCATION.findall(SAMPLE) if how]
    exact = [inside for how, each, inside in found if how == "=" and each == path]
    fitting = [inside for how, each, inside in found if how != "=" and re.search(each, path)]
    size = SIZE.search((exact or fitting or [SAMPLE])[0]) or SIZE.search(SAMPLE)
    assert size is not None
    return int(size[1]) * {"k": 1024, "m": 1024**2}[size[2]]


def test_a_form_that_may_be_large_reaches_the_product(app: Flask) -> None:
    views = [(rule.rule, app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules()]
    sizes = {re.sub(r"<[^>]+>", "x1", rule): getattr(view, LARGE_FORM, 0) for rule, view in views}
    large = {path: most for path, most in sizes.items() if most}
    assert {"/consultation/new", "/consultation/x1/pictures", "/desk/consultations/x1/shown"} <= set(large)
    assert [path for path, most in large.items() if passes(path) < most] == []


def test_a_picture_of_a_program_reaches_the_product() -> None:
    assert passes("/api/v1/consultations/cnv_x/pictures") == LARGEST
    assert passes("/api/v1/consultations/cnv_x/pictures/pic_x") < LARGEST


@pytest.mark.parametrize(
    ("path", "characters"),
    [
        ("/consultation/new", 3_000),
        ("/consultation/cnv_x/messages", MOST_CHARACTERS),
        ("/desk/consultations/cnv_x/words", MOST_CHARACTERS),
        ("/desk/consultations/cnv_x/close", 2 * MOST_CHARACTERS),
    ],
)
def test_the_longest_words_reach_the_product_in_chinese(path: str, characters: int) -> None:
    """A form without a script sends nine bytes for a character (`%E8%83%B8`)."""
    assert passes(path) > 9 * characters + 1024
