"""What the console's views answer with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response

from marketplace import wording
from marketplace.core.errors import Refusal
from marketplace.web.answers import render
from marketplace.web.console import session
from vip.operators.operators import operator
from vip.signin.signin import SignInAgain

SHOWN = 50
"""How many lines of a list a page has."""


@dataclass(frozen=True)
class Problem:
    """Why something was refused; `again` when a new sign-in lets it through."""

    text: str
    again: bool = False


def problem_of(refusal: Refusal) -> Problem:
    """The problem as a page of the console shows it."""
    return Problem(wording.sentence(refusal), isinstance(refusal, SignInAgain))


def console_page(name: str, here: str, status: int = 200, **context: Any) -> Response:
    """A page of the console; `here` is the entry of its menu."""
    me = operator(session.operator().id)
    return render(f"console/{name}.html", status, me=me, here=here, **context)
