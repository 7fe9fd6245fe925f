"""The form of a service: its fields to terms and back, each fault at its field."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from booking.idempotency import Repeatable
from booking.offers import limits
from booking.offers.maintain import MaintainedOffer, Terms
from marketplace.catalog.benefit_kind import BenefitKind
from marketplace.core.errors import Invalid
from marketplace.web import schema_form
from vip.principal import Member

PACKAGE = "package"
Fields = Mapping[str, str]
NUMBERS = {
    "lead_minutes": limits.MOST_LEAD_MINUTES,
    "cancel_hours": limits.MOST_HOURS,
    "change_hours": limits.MOST_HOURS,
    "max_changes": limits.MOST_CHANGES,
}
_FIRST = {"currency": "CNY", "lead_minutes": "720", "cancel_hours": "24", "change_hours": "24", "max_changes": "3"}


def first_values(kind: BenefitKind) -> dict[str, str]:
    """What a new service's form holds."""
    return {**_FIRST, "benefit": kind.code, "active": "1"}


def values_of(kind: BenefitKind, offer: MaintainedOffer) -> dict[str, str]:
    """What the form holds of a service as it stands."""
    return {
        "reference": offer.reference,
        "benefit": offer.benefit,
        "pool": offer.pool,
        "name_zh": offer.name_zh,
        "name_en": offer.name_en,
        "price": price_text(offer.price_minor, offer.currency),
        "currency": offer.currency,
        **{name: str(getattr(offer, name)) for name in NUMBERS},
        "available_from": offer.available_from.isoformat() if offer.available_from else "",
        "available_until": offer.available_until.isoformat() if offer.available_until else "",
        "active": "1" if offer.active else "",
        **schema_form.fields_of(kind.package_schema, PACKAGE, offer.package),
    }


def terms_in(kind: BenefitKind, fields: Fields, before: MaintainedOffer | None) -> Terms:
    """The terms that the form says. Raises Invalid with the form's field."""
    currency = fields.get("currency", "")
    if not re.fullmatch(limits.CURRENCY, currency):
        raise Invalid(field="currency", reason="format")
    stored = None if before is None else before.package
    return Terms(
        benefit=kind.code,
        pool=_needed(fields, "pool", limits.LONGEST_REFERENCE),
        name_zh=_needed(fields, "name_zh", limits.LONGEST_NAME),
        name_en=_needed(fields, "name_en", limits.LONGEST_NAME),
        price_minor=price_in(fields.get("price", ""), currency),
        currency=currency,
        lead_minutes=_whole(fields, "lead_minutes"),
        cancel_hours=_whole(fields, "cancel_hours"),
        change_hours=_whole(fields, "change_hours"),
        max_changes=_whole(fields, "max_changes"),
        available_from=_day(fields, "available_from"),
        available_until=_day(fields, "available_until"),
        active=bool(fields.get("active")),
        package=schema_form.value_in(kind.package_schema, PACKAGE, fields, stored),
    )


def reference_in(fields: Fields, made: str) -> str:
    """The provider's own code; `made` where none is given. Raises Invalid."""
    reference = fields.get("reference", "") or made
    if not reference:
        raise Invalid(field="reference", reason="required")
    if not limits.usable_reference(reference):
        raise Invalid(field="reference", reason="format")
    return reference


def price_in(text: str, currency: str) -> int:
    """An amount such as `680` or `680.50` in minor units. Raises Invalid(field="price")."""
    if not text:
        raise Invalid(field="price", reason="required")
    digits = get_currency_precision(currency)
    decimals = rf"(\.[0-9]{{1,{digits}}})?" if digits else ""
    if not re.fullmatch(rf"[0-9]{{1,13}}{decimals}", text):
        raise Invalid(field="price", reason="format")
    minor = int(Decimal(text) * 10**digits)
    if minor > limits.MOST_PRICE:
        raise Invalid(field="price", reason="number")
    return minor


def price_text(minor: int, currency: str) -> str:
    """The amount as it is typed."""
    digits = get_currency_precision(currency)
    return f"{Decimal(minor) / 10**digits:.{digits}f}"


def repeatable(who: Member, fields: Fields, *names: str) -> Repeatable:
    """This form, which may be sent twice: the same fields are the same request, those of another page are not."""
    said = {name: text for name, text in sorted(fields.items()) if name != "csrf_token"}
    content = hashlib.sha256(json.dumps([*names, said]).encode())
    return Repeatable(f"member:{who.public_id}", f"offering:{content.hexdigest()}", content.digest())


def named(refusal: Invalid) -> str:
    """The form's field that a refusal means."""
    return str(refusal.at or "").replace("price_minor", "price")


def why(refusal: Invalid) -> Invalid:
    """The refusal with a reason that tells more, where the schema's rule does."""
    facts: Mapping[str, Any] = refusal.facts
    if facts.get("rule") in ("required", "minItems", "minLength"):
        return Invalid(field=refusal.at, reason="required")
    if facts.get("rule") == "maxLength":
        return Invalid(field=refusal.at, reason="too_long", maximum=facts["limit"])
    if facts.get("rule") == "type":
        return Invalid(field=refusal.at, reason="integer")
    if facts.get("rule") == "pattern":
        return Invalid(field=refusal.at, reason="format")
    if facts.get("rule") in ("minimum", "maximum"):
        return Invalid(field=refusal.at, reason="number")
    return refusal


def _needed(fields: Fields, name: str, longest: int) -> str:
    text = fields.get(name, "")
    if not text:
        raise Invalid(field=name, reason="required")
    if len(text) > longest:
        raise Invalid(field=name, reason="too_long", maximum=longest)
    return text


def _whole(fields: Fields, name: str) -> int:
    text = fields.get(name, "")
    if not text:
        raise Invalid(field=name, reason="required")
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) <= NUMBERS[name]):
        raise Invalid(field=name, reason="out_of_range", minimum=0, maximum=NUMBERS[name])
    return int(text)


def _day(fields: Fields, name: str) -> date | None:
    try:
        return date.fromisoformat(fields[name]) if fields.get(name) else None
    except ValueError as wrong:
        raise Invalid(field=name, reason="date") from wrong
