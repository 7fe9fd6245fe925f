"""The words for people: one title and one sentence for each refusal, in the language of the request.

Code below the entrypoints raises refusals with facts; here, and nowhere else, they become sentences. Every refusal's
code stands in WORDS (a test walks all subclasses), every reason of `Invalid` in REASONS. A sentence never repeats
what the caller sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import force_locale, format_date, get_locale
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from marketplace.core.errors import Invalid, Refusal

HOME_ZONE = "Asia/Shanghai"


@dataclass(frozen=True)
class Words:
    """`title` names the kind of refusal and is the same each time; `sentence` may use facts as `%(name)s`."""

    title: LazyString
    sentence: LazyString


WORDS: Mapping[str, Words] = {
    "refused": Words(_("Not possible"), _("This can't be done. Nothing was changed.")),
    "invalid": Words(_("Something in the request needs another look"), _("Some of the values can't be used.")),
    "not_found": Words(_("Not found"), _("There is nothing here, or it is not yours.")),
    "unauthenticated": Words(_("Sign in first"), _("Sign in, then send the request again.")),
    "forbidden": Words(_("Not allowed"), _("This account can't do that.")),
    "too_many": Words(_("Too many tries"), _("Too many tries. The next one is possible in %(retry_after)s seconds.")),
    "busy": Words(_("Somebody else was faster"), _("Another request held this up. Nothing was changed; send it again.")),
    "idempotency_key_reused": Words(
        _("The key was used before"),
        _("This Idempotency-Key belongs to an earlier request with other content. Use a new key."),
    ),
    "idempotency_key_missing": Words(
        _("An Idempotency-Key is needed"),
        _("Send an Idempotency-Key header of 1 to 255 visible ASCII characters, a new one for each new booking."),
    ),
    "not_json": Words(
        _("The body is not JSON"), _("The body must be a JSON object in UTF-8, nested at most 32 levels deep.")
    ),
    "bad_request": Words(_("The request can't be read"), _("The request can't be read as HTTP.")),
    "method_not_allowed": Words(_("This method is not offered here"), _("See the Allow header for what is offered.")),
    "not_acceptable": Words(_("Not in this form"), _("This can't be given in the form you accept.")),
    "too_large": Words(_("The request is too large"), _("A request may hold at most 256 KiB.")),
    "unsupported_media_type": Words(
        _("This content type is not understood"), _("Send the body as application/json.")
    ),
    "unavailable": Words(
        _("Not available right now"), _("The database can't be reached. Nothing was changed; send it again shortly.")
    ),
    "internal": Words(
        _("An error on our side"), _("Something went wrong on our side. Give this reference when you ask: %(reference)s.")
    ),
}
"""Code of a refusal, or of an HTTP error, to its words."""

REASONS: Mapping[str, LazyString] = {
    "required": _("This is needed."),
    "null": _("This must not be null."),
    "text": _("This holds characters that can't be stored (NUL or half a surrogate pair), or is not valid UTF-8."),
    "number": _("This number is out of range."),
    "type": _("This is not the right type."),
    "string": _("This must be text."),
    "integer": _("This must be a whole number."),
    "boolean": _("This must be true or false."),
    "date": _("This must be a date such as 2030-01-31."),
    "datetime": _("This must be a moment such as 2030-01-31T08:00:00Z."),
    "object": _("This must be an object."),
    "unknown_field": _("There is no such field."),
    "repeated": _("This may be given once only."),
    "choice": _("This is not one of the possible values."),
    "length": _("This is too long or too short."),
    "range": _("This is too large or too small."),
    "format": _("This does not have the right form."),
    "cursor": _("This cursor is not one that we gave out, or belongs to another list."),
    "phone": _("This is not a mobile number that we can send a code to."),
}
"""Reason of an `Invalid`, or of a schema's complaint about one field, to its words."""


def title(code: str) -> str:
    """What kind of refusal `code` is, in a few words."""
    return str(WORDS[code].title)


def english_title(code: str) -> str:
    """The title in English, whoever asks; for documents."""
    with force_locale("en"):
        return str(WORDS[code].title)


def sentence(refusal: Refusal) -> str:
    """What to tell the person, with the refusal's facts, in the language of the request."""
    if isinstance(refusal, Invalid):
        reason = refusal.facts.get("reason")
        if reason in REASONS:
            return _with_facts(REASONS[reason], refusal.facts)
    return told(refusal.code, refusal.facts)


def told(code: str, facts: Mapping[str, Any]) -> str:
    """The sentence of `code` with `facts`."""
    return _with_facts(WORDS[code].sentence, facts)


def reason(key: str) -> str:
    """The sentence about one field, for a key of REASONS."""
    return str(REASONS[key])


class _Shown(dict[str, str]):
    """Facts as people read them; one that is missing leaves an empty place rather than an error."""

    def __missing__(self, name: str) -> str:
        return ""


def _with_facts(words: LazyString, facts: Mapping[str, Any]) -> str:
    template = str(words)
    if "%(" not in template:
        return template
    zone = ZoneInfo(str(facts.get("time_zone", HOME_ZONE)))
    return template % _Shown({name: _show(value, zone) for name, value in facts.items()})


def _show(value: Any, zone: ZoneInfo) -> str:
    chinese = (locale := get_locale()) is None or locale.language == "zh"
    if isinstance(value, datetime):
        local = value.astimezone(zone)
        return f"{_show(local.date(), zone)}{' ' if chinese else ', '}{local:%H:%M}"
    if isinstance(value, date):
        return format_date(value, "M 月 d 日" if chinese else "d MMMM")
    return str(value)
