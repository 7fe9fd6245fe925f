"""What a provider's own system says of an escort, line by line: each once, in the provider's order.

An event and the list give the same line, and both come through `hear`. Under the locks of booking and listening only
exactly the next number is taken. When it was done is the provider's word, kept with what is doubtful about it; when we
were told is ours.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.escort.after.lost import came_after_all
from booking.escort.assign import code_of
from booking.escort.evidence.counting import COUNTING, WITH_THE_PERSON
from booking.escort.evidence.kinds import ENDING, PRESENCE
from booking.escort.evidence.pictures import Examined, medical_key
from booking.escort.evidence.position import POOREST_METRES, Position
from booking.escort.evidence.told import CODE, Told, read
from booking.escort.evidence.write import Seen, TooManyDeeds, write
from booking.escort.models import EscortAssignment
from booking.escort.outside import cases
from booking.escort.outside.people import name, release, whose
from booking.escort.outside.visit import Visit, follow, lock_visit
from booking.listening import EscortLineTaken
from booking.references import named
from booking.sealing import open_words, seal_words
from booking.states import GIVEN_UP, UNDECIDED
from marketplace.core.crypto import Unreadable
from marketplace.core.database.moment import When
from marketplace.core.errors import Invalid, TooMany
from marketplace.core.strictjson import storable
from providers.reported import EscortLine
from vip.signin import limits
from vip.signin.limits import Limit

LATELY = timedelta(days=7)
"""So long after its end what was done in an escort is taken: as of a worker's phone."""
TRIES = Limit(capacity=5, per_hour=5)
"""Codes of one assignment that are compared."""
LONGEST_WORD, LONGEST_NAME = 40, 100
_KEYS = uuid.UUID("6a0c3f0e-6f0b-5d0a-9a3e-0c1f6f1f7b52")
"""The namespace of the keys of their deeds."""


class Heard(StrEnum):
    """What came of a line. TAKEN: it stands here. PASSED: it could not be read. KEPT_OUT: of somebody who was never
    named, or of what is over. KNOWN: it was taken before. DIFFERS: another line was taken under its number. AHEAD:
    others come before it. FETCH: its picture has to be fetched first. NOT_CONFIRMED: the booking is not confirmed yet.
    UNMATCHED: it belongs to no booking of that provider's for which somebody is sent."""

    TAKEN = "taken"
    PASSED = "passed"
    KEPT_OUT = "kept_out"
    KNOWN = "known"
    DIFFERS = "differs"
    AHEAD = "ahead"
    FETCH = "fetch"
    NOT_CONFIRMED = "not_confirmed"
    UNMATCHED = "unmatched"


WAITS = frozenset({Heard.FETCH, Heard.NOT_CONFIRMED})
"""Nothing that comes after such a line can be taken."""


@dataclass(frozen=True)
class Fetched:
    """The picture of a line: as it came, and as it may be stored."""

    content: bytes = field(repr=False)
    examined: Examined


def hear(session: Session, provider_id: int, line: EscortLine, *, now: When, picture: Fetched | None = None) -> Heard:
    """Take a line in the caller's transaction, where it can be taken now. `picture`: the one that it has."""
    visit = lock_visit(session, provider_id, line.reference, now=now)
    if visit is None or (line.our_reference and named(line.our_reference)[0] != visit.booking.public_id):
        return Heard.UNMATCHED
    if line.seq <= visit.row.their_seq:
        return _known(visit, line)
    if line.seq > visit.row.their_seq + 1:
        return Heard.AHEAD
    if visit.booking.state in UNDECIDED:
        return Heard.NOT_CONFIRMED
    return _take(visit, line, picture)


def pass_over(session: Session, provider_id: int, reference: str, seq: int, *, now: When) -> Heard:
    """Go on without the provider's line `seq`, which can't be read, if that is the next one (PASSED). Else KNOWN, AHEAD
    or UNMATCHED, as of any line."""
    visit = lock_visit(session, provider_id, reference, now=now)
    if visit is None:
        return Heard.UNMATCHED
    if seq <= visit.row.their_seq:
        return Heard.KNOWN
    if seq > visit.row.their_seq + 1:
        return Heard.AHEAD
    _note(visit, seq, "passed")
    return Heard.PASSED


def _known(visit: Visit, line: EscortLine) -> Heard:
    """A line under a number that was taken: the same one, or a discrepancy. One that was passed over, or whose words
    were erased, is the same whatever it says."""
    before = visit.session.scalars(
        select(EscortLineTaken).where(EscortLineTaken.listening_id == visit.row.id, EscortLineTaken.seq == line.seq)
    ).one()
    digest = _digest_of(visit, before)
    if digest is None or digest == _digest(line):
        return Heard.KNOWN
    cases.differs(visit.session, visit.booking, line.seq, now=visit.at)
    return Heard.DIFFERS


def _take(visit: Visit, line: EscortLine, picture: Fetched | None) -> Heard:
    if _id_used(visit, line):
        return _unreadable(visit, line, "id.used")
    if line.kind == "assigned":
        return _named(visit, line)
    if line.kind == "released":
        release(visit, line)
        _note(visit, line.seq, "released", line)
        return Heard.TAKEN
    row = whose(visit, line.escort)
    if row is None:
        cases.stranger(visit.session, visit.booking, line.seq, now=visit.at)
        return _kept_out(visit, line)
    if row.ended_at is not None and visit.at > row.ended_at + LATELY:
        cases.after_end(visit.session, visit.booking, line.seq, now=visit.at)
        return _kept_out(visit, line)
    if line.picture and picture is None:
        return Heard.FETCH
    return _deed(visit, line, row, picture)


def _named(visit: Visit, line: EscortLine) -> Heard:
    who = line.worker
    texts = () if who is None else (who.code, who.name, who.staff_number, who.qualification_zh, who.qualification_en)
    good = all(storable(each) and len(each) <= LONGEST_NAME for each in texts)
    if who is None or not who.name.strip() or not good:
        return _unreadable(visit, line, "worker.contents")
    if not storable(line.safe_word) or len(line.safe_word) > LONGEST_WORD:
        return _unreadable(visit, line, "safe_word.contents")
    if not name(visit, line, who):
        cases.after_end(visit.session, visit.booking, line.seq, now=visit.at)
        return _kept_out(visit, line)
    _note(visit, line.seq, "named", line)
    return Heard.TAKEN


def _deed(visit: Visit, line: EscortLine, row: EscortAssignment, picture: Fetched | None) -> Heard:
    try:
        told = _told(visit, line, picture)
        by_code = _by_code(visit, line, row)
        seen = _seen(line, told, by_code=by_code)
        with visit.session.begin_nested():
            examined = None if picture is None else picture.examined
            deed = write(visit.session, row, told, seen, examined, now=visit.at)
    except Unreadable:  # the person's data was deleted
        cases.after_end(visit.session, visit.booking, line.seq, now=visit.at)
        return _kept_out(visit, line)
    except (Invalid, TooManyDeeds) as wrong:
        return _unreadable(visit, line, f"{wrong.at or wrong.code}.contents")
    if deed is None:
        raise LookupError("a deed without its line")
    _note(visit, line.seq, "deed", line, deed_id=deed.id)
    if row.state in COUNTING:
        follow(visit)
    elif visit.booking.state in GIVEN_UP and line.kind in WITH_THE_PERSON | ENDING:
        lost = came_after_all(visit.session, visit.booking, {line.kind}, now=visit.at)
        if not lost:
            cases.after_end(visit.session, visit.booking, line.seq, now=visit.at)
    return Heard.TAKEN


def _told(visit: Visit, line: EscortLine, picture: Fetched | None) -> Told:
    """The line as a deed of its provider's phone, by the same checks. Raises Invalid."""
    cost = line.cost
    given: dict[str, Any] = {
        "key": str(uuid.uuid5(_KEYS, f"{visit.row.provider_booking_id}:{line.seq}")),
        "number": line.seq,
        "kind": line.kind,
        "at": line.at.astimezone(UTC).isoformat(),
        "words": line.words,
    }
    if cost is not None:
        given |= {"amount_minor": cost.amount, "currency": cost.currency, "what": cost.purpose}
    return read(given, None if picture is None else picture.content)


def _by_code(visit: Visit, line: EscortLine, row: EscortAssignment) -> bool:
    """Whether the person showed her code. A wrong one says nothing, and is a case; so many are compared as of a phone:
    four digits are no secret from who may try them all."""
    if line.kind not in PRESENCE or not line.code:
        return False
    code = code_of(visit.session, row.id)
    if code is None:  # she was erased
        return False
    try:
        limits.take(visit.session, TRIES, "escort_code", row.public_id, now=visit.at)
        right = re.fullmatch(CODE, line.code) is not None and hmac.compare_digest(code.encode(), line.code.encode())
    except TooMany:
        right = False
    if right:
        limits.fill(visit.session, "escort_code", row.public_id)
    else:
        cases.wrong_code(visit.session, visit.booking, line.seq, now=visit.at)
    return right


def _seen(line: EscortLine, told: Told, *, by_code: bool) -> Seen:
    """The provider's verdict about her position, by our rule of what proves something."""
    if told.kind not in PRESENCE:
        return Seen()
    position: Position | None = line.position
    if position is None:
        return Seen("not_checkable" if told.kind == "arrived" and not by_code else None, None, by_code)
    accuracy = line.accuracy_m
    if accuracy is None or accuracy > POOREST_METRES:
        position = "not_checkable"
    return Seen(position, accuracy, by_code)


def _id_used(visit: Visit, line: EscortLine) -> bool:
    """Whether another number was taken under this name of the provider's."""
    taken = select(EscortLineTaken.id).where(
        EscortLineTaken.listening_id == visit.row.id, EscortLineTaken.their_id == line.id
    )
    return visit.session.scalar(taken) is not None


def _unreadable(visit: Visit, line: EscortLine, reason: str) -> Heard:
    cases.unreadable(visit.session, visit.booking, line, reason, now=visit.at)
    _note(visit, line.seq, "passed")
    return Heard.PASSED


def _kept_out(visit: Visit, line: EscortLine) -> Heard:
    _note(visit, line.seq, "kept_out", line)
    return Heard.KEPT_OUT


def _note(visit: Visit, seq: int, came: str, line: EscortLine | None = None, *, deed_id: int | None = None) -> None:
    digest = None if line is None else _sealed_digest(visit, line)
    visit.session.add(
        EscortLineTaken(
            listening_id=visit.row.id,
            seq=seq,
            their_id=None if line is None else line.id,
            came=came,
            deed_id=deed_id,
            digest_sealed=digest,
            received_at=visit.at,
        )
    )
    visit.row.their_seq = seq
    cases.came(visit.session, visit.booking, seq, now=visit.at)
    visit.session.flush()


def _digest(line: EscortLine) -> str:
    """What tells a line from any other: all that it says, the time too, which is evidence here."""
    said: Mapping[str, Any] = asdict(line)
    body = {key: value for key, value in said.items() if key not in ("reference", "our_reference", "at")}
    body["at"] = line.at.astimezone(UTC).isoformat()
    return hashlib.sha256(json.dumps(body, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


def _sealed_digest(visit: Visit, line: EscortLine) -> bytes | None:
    """For storage; None where the person's data was deleted."""
    try:
        key = medical_key(visit.session, visit.booking.id)
        return seal_words(_digest(line), key, record_of(visit.row.id, line.seq))
    except Unreadable:
        return None


def _digest_of(visit: Visit, before: EscortLineTaken) -> str | None:
    if before.digest_sealed is None:
        return None
    key = medical_key(visit.session, visit.booking.id)
    try:
        return open_words(before.digest_sealed, key, record_of(visit.row.id, before.seq))
    except Unreadable:
        return None


def record_of(listening_id: int, seq: int) -> str:
    """What the digest of a line is bound to."""
    return f"escort_line:{listening_id}:{seq}"
