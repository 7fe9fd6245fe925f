"""What the console's views answer with."""

from __future__ import annotations

from typing import Any

from flask import Response

from marketplace.web.answers import render
from marketplace.web.console import session
from vip.insurers.at_desk import count_waiting
from vip.operators.operators import operator

SHOWN = 50
"""How many lines of a list a page has."""


def console_page(name: str, here: str, status: int = 200, **context: Any) -> Response:
    """A page of the console; `here` is the entry of its menu."""
    return framed(f"console/{name}.html", here, status, **context)


def framed(template: str, here: str, status: int = 200, **context: Any) -> Response:
    """A template in the console's frame."""
    who = session.operator()
    counts = {"snapshots": count_waiting(who)}
    return render(template, status, door=session.DOOR, me=operator(who.id), here=here, counts=counts, **context)
