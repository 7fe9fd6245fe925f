"""The summary with which a doctor closes a consultation."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from marketplace.catalog.kinds import kind, kinds
from marketplace.core.errors import Invalid
from marketplace.core.strictjson import storable
from marketplace.core.text import Text

MOST_CHARACTERS = 4_000
_DEPARTMENT = re.compile(r"[a-z0-9_-]{1,40}")
_ADVICE, _NEXT = Text("建议", "Advice"), Text("建议的下一步", "Suggested next")


@dataclass(frozen=True)
class NextService:
    """What the doctor suggests: a kind of benefit by its code, and a department of it by its code, blank for none."""

    kind: str
    department: str = ""


@dataclass(frozen=True)
class Summary:
    """What was found, what the doctor advises (blank: nothing more), and the service that should follow, if any."""

    summary: str
    advice: str = ""
    next_service: NextService | None = None


def check_summary(given: Summary) -> None:
    """Raises Invalid for the field at fault."""
    for name, words in (("summary", given.summary), ("advice", given.advice)):
        if len(words) > MOST_CHARACTERS:
            raise Invalid(field=name, reason="too_long", maximum=MOST_CHARACTERS)
        if not storable(words):
            raise Invalid(field=name, reason="bad_characters")
    if not given.summary.strip():
        raise Invalid(field="summary", reason="required")
    suggested = given.next_service
    if suggested is None:
        return
    if suggested.kind not in kinds():
        raise Invalid(field="next_service", reason="unknown_benefit")
    if suggested.department and not _DEPARTMENT.fullmatch(suggested.department):
        raise Invalid(field="next_service", reason="format")


def written(given: Summary) -> str:
    """The summary as the text of its message."""
    return json.dumps(asdict(given), ensure_ascii=False, sort_keys=True)


def understood(text: str) -> Summary:
    """What written() wrote."""
    plain = json.loads(text)
    suggested = plain["next_service"]
    return Summary(plain["summary"], plain["advice"], None if suggested is None else NextService(**suggested))


def conclusion_of(given: Summary, language: str) -> str:
    """The summary as the conclusion of a report, in the language of the consultation."""
    parts = [given.summary.strip()]
    if given.advice.strip():
        parts.append(f"{_ADVICE.in_language(language)}\n{given.advice.strip()}")
    if given.next_service is not None:
        name = kind(given.next_service.kind).name.in_language(language)
        parts.append(f"{_NEXT.in_language(language)}\n{name}")
    return "\n\n".join(parts)
