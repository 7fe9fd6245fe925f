"""Named refusals. Code below the entrypoints raises them with facts; the edge makes the sentence."""

from __future__ import annotations

from typing import Any, ClassVar


class Refusal(Exception):
    """Something the caller asked for cannot be done. Nothing was changed.

    `code` is stable and documented (it becomes the problem's `code`), `status` the HTTP status it maps to, `field`
    the name of the input at fault if there is one, and `facts` what the sentence needs; facts hold no personal data.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    field: ClassVar[str | None] = None

    def __init__(self, *, field: str | None = None, **facts: Any) -> None:
        super().__init__(self.code)
        self.at = field or self.field
        self.facts = facts


class Invalid(Refusal):
    """An input breaks a rule that its schema cannot express. `reason` is a message key of the edge."""

    code = "invalid"
    status = 422


class NotFound(Refusal):
    """Not there, or not yours: the answer is the same."""

    code = "not_found"
    status = 404


class Unauthenticated(Refusal):
    """No session, or one that has ended."""

    code = "unauthenticated"
    status = 401


class TooMany(Refusal):
    """A limit of tries was reached; `retry_after` (seconds) says when the next one is allowed."""

    code = "too_many"
    status = 429


class Busy(Refusal):
    """A rival held a lock longer than `lock_timeout`; the same request may be sent again."""

    code = "busy"
    status = 409


class IdempotencyKeyReused(Refusal):
    """The key was used before with another body (RFC draft httpapi-idempotency-key, section 2.7)."""

    code = "idempotency_key_reused"
    status = 422
    field = "Idempotency-Key"
