"""What a customer says is taken once: by its id, for ever."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from providers.sandbox.bookings import DEAD, Desk, Reply, once
from providers.sandbox.consultations import cases, rota
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem

MOST_CHARACTERS = 4_000
MOST_BYTES = 5 * 1024 * 1024
_BEGINS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}


def hear(desk: Desk, key: str, reference: str, wish: Mapping[str, Any]) -> Reply:
    """Take a message in: 201, and 200 under another key. Raises Problem 404, 409 closed, 422 (also for the same id with
    other words)."""
    return once(desk, key, {"hear": wish, "reference": reference}, lambda tx: _hear(desk, tx, reference, wish))


def _hear(desk: Desk, tx: Transaction, reference: str, wish: Mapping[str, Any]) -> Reply:
    case = cases.find_own(desk, tx, {**wish, "reference": reference})
    text, picture = _content(wish)
    taken = {"id": wish["id"], "our_reference": wish["our_reference"]}
    digest = hashlib.sha256(json.dumps([reference, wish], sort_keys=True).encode()).hexdigest()
    known = tx.execute(
        "SELECT digest FROM heard WHERE account = ? AND id = ?", (desk.account.code, wish["id"])
    ).fetchone()
    if known is not None:
        if known["digest"] != digest:
            raise Problem(422, "idempotency_key_reused", "The id was used before with other words")
        return Reply(200, taken, reference)
    if case["status"] in DEAD:
        raise Problem(409, "closed", "The consultation is over")
    if case["closed_at"] is not None:
        case = cases.reopen(desk, tx, case)
    _add(desk, tx, wish, (reference, digest, text, picture))
    _notice(desk, tx, case, wish.get("flagged") is True)
    return Reply(201, taken, reference)


def _add(desk: Desk, tx: Transaction, wish: Mapping[str, Any], body: tuple[str, str, str, bytes | None]) -> None:
    reference, digest, text, picture = body
    tx.execute(
        "INSERT INTO heard (account, reference, id, digest, seq, at, flagged, text, picture)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(desk.account.code, reference, wish["id"], digest, wish["seq"], cases.stamp(desk)),
            *(int(wish.get("flagged") is True), text, picture),
        ),
    )


def _notice(desk: Desk, tx: Transaction, case: Row, flagged: bool) -> None:
    """Somebody has to answer: who has her in hand, or the next one who is free."""
    if flagged and not case["flagged"]:
        cases.alter(desk, tx, case["reference"], flagged=1)
    if case["waits_since"] is None:
        cases.alter(desk, tx, case["reference"], waits_since=desk.ledger.timestamp())
        if case["doctor"] is not None:
            rota.plan_answer(desk, tx, cases.find(desk, tx, case["reference"]))
    rota.assign(desk, tx)


def _content(wish: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """(words, None) or (blank, bytes of the picture). Raises Problem 422."""
    if type(wish.get("seq")) is not int or wish["seq"] < 1:
        raise Problem(422, "invalid", "seq is a number, 1 or more")
    text, picture = wish.get("text"), wish.get("picture")
    if picture is None and isinstance(text, str) and 0 < len(text) <= MOST_CHARACTERS:
        return text, None
    if text is not None or not isinstance(picture, Mapping):
        raise Problem(422, "invalid", f"A message has a text of 1 to {MOST_CHARACTERS} characters or a picture")
    try:
        content = base64.b64decode(str(picture.get("content")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "invalid", "content is not base64") from error
    begin = _BEGINS.get(str(picture.get("content_type")))
    if begin is None or not content.startswith(begin) or len(content) > MOST_BYTES:
        raise Problem(422, "invalid", f"A picture is a JPEG or PNG file of at most {MOST_BYTES} bytes")
    if hashlib.sha256(content).hexdigest() != picture.get("sha256"):
        raise Problem(422, "invalid", "sha256 is not that of the content")
    return "", content
