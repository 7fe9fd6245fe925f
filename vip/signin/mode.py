"""A member's session is in test mode, or not any more."""

from __future__ import annotations

from sqlalchemy import text

from marketplace.core.database.db import transaction
from vip.principal import Member

_PREFIX = b"test:"
"""Stands before the hash of the token while a session is in test mode: code that knows of no test mode finds no session
by that token and asks to sign in, instead of showing and changing what is live."""

IN_TEST_MODE = f"substring(s.token_hash FOR {len(_PREFIX)}) = '{_PREFIX.decode()}'::bytea"
"""Whether a session is in test mode: `s` is its row."""

_SET = text(
    """
    UPDATE sign_in_session
       SET token_hash = CASE WHEN :on THEN :prefix || token_hash ELSE substring(token_hash FROM :after) END
     WHERE id = :session AND ended_at IS NULL AND (substring(token_hash FOR :length) = :prefix) <> :on
    """
)


def in_test_mode(token_hash: bytes) -> bytes:
    """What is stored of a session in test mode, by the hash of its token."""
    return _PREFIX + token_hash


def set_test_mode(member: Member, *, on: bool) -> None:
    """From its next request on this session of hers is about her provider's twin (where there is one), or again about
    the provider itself. Other sessions of hers stay as they are."""
    with transaction() as session:
        session.execute(
            _SET,
            {
                "on": on,
                "prefix": _PREFIX,
                "length": len(_PREFIX),
                "after": len(_PREFIX) + 1,
                "session": member.session_id,
            },
        )
