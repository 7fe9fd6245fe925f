"""What those who are sent to customers are told by SMS: that they are asked, and that they are not needed any more. No
person, no place but the city, nothing of what is wrong with anybody: a phone lies open on tables."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Table

from booking.escort.assigning.letters import DUE, WorkerLetter, letter
from booking.escort.models import EscortLetter
from marketplace.core.config import settings
from marketplace.core.text import Text
from marketplace.messages.moments import moment_text
from providers.staff.letters import Letters, Post, Wait


def written(it: WorkerLetter, now: datetime) -> str:
    """The text, in the worker's language."""
    when = moment_text(it.starts_at, it.zone, it.language, now, weekday=True)
    until = "" if it.answer_until is None else moment_text(it.answer_until, it.zone, it.language, now)
    how = _HERSELF if it.by_herself else _BY_DESK
    answer = how.in_language(it.language).format(link=f"{settings().public_url}/desk/escort")
    return _WORDS[it.what].in_language(it.language).format(city=it.city, when=when, until=until, answer=answer)


def _written(letter_id: int, now: datetime) -> Post | Wait | None:
    found = letter(letter_id, now)
    if not isinstance(found, WorkerLetter):
        return found
    return Post("sms", found.key, found.to, "", written(found, now))


WORKERS = Letters(cast(Table, EscortLetter.__table__), "escort_letter", DUE, _written, token=False, ends=True)
"""Their messages."""

_WORDS = {
    "asked": Text(
        "【安享】有一个新任务想请您去：{city}，{when}。请在 {until} 前答复。{answer}",
        "[Anxiang] You are asked to go: {city}, {when}. Please answer by {until}. {answer}",
    ),
    "not_needed": Text(
        "【安享】{city}，{when} 的任务已取消或改由他人前往，您不用去了。",
        "[Anxiang] {city}, {when}: you are not needed there any more. It was cancelled, or somebody else goes.",
    ),
}
_HERSELF = Text("查看并答复：{link}", "See it and answer: {link}")
_BY_DESK = Text("请联系您的机构答复。", "Tell your desk.")
