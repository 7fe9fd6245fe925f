"""What a password must be. It is judged by how it would be guessed, so no list of signs it has to hold."""

from __future__ import annotations

from zxcvbn import zxcvbn

from marketplace.core.errors import Invalid

SHORTEST = 12
LONGEST = 256
LEAST_SCORE = 3
"""Of 4, as zxcvbn counts: more than 10^8 guesses with its lists of common passwords, names, words and key rows."""
_JUDGED = 72
"""Signs that are judged, from the first: the time it takes grows with their square."""


def check(password: str, *about: str, field: str = "password") -> None:
    """Raises Invalid (reason "password_length" or "password_common") for a password that is too short, or soon guessed
    by who knows what it is `about` (the login, the name)."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(field=field, reason="password_length", shortest=SHORTEST)
    if zxcvbn(password[:_JUDGED], user_inputs=[*about, "anxiang", "安享"])["score"] < LEAST_SCORE:
        raise Invalid(field=field, reason="password_common")
