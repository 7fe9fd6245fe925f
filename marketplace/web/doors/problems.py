"""Why something was refused behind a door, and whether a new sign-in lets it through."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace import wording
from marketplace.core.errors import Refusal
from vip.signin.signin import SignInAgain


@dataclass(frozen=True)
class Problem:
    """Why something was refused; `again` when a new sign-in lets it through."""

    text: str
    again: bool = False


def problem_of(refusal: Refusal) -> Problem:
    """The problem as a page behind a door shows it."""
    return Problem(wording.sentence(refusal), isinstance(refusal, SignInAgain))
