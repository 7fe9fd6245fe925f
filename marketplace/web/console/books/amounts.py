"""What the books show in figures: quota and money with their signs."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _

from marketplace.web.formats import listed, money, number


def effect(units: int, minor: int, currency: str) -> str:
    """What the provider's books bind beyond ours."""
    if not units and not minor:
        return _("No effect on quota or money is known.")
    parts = [_("quota %(units)s", units=_signed(units))] if units else []
    if minor:
        parts.append(_("money %(amount)s", amount=signed_money(minor, currency)))
    return _("Theirs less ours: %(parts)s", parts=listed(parts))


def _signed(value: int) -> str:
    return ("+" if value > 0 else "−" if value < 0 else "") + number(abs(value))


def signed_money(minor: int, currency: str) -> str:
    return ("+" if minor > 0 else "−" if minor < 0 else "") + money(abs(minor), currency)


def sums(by_currency: Mapping[str, int], signed: bool = False) -> str:
    """Money by currency in one text."""
    show = signed_money if signed else money
    return " + ".join(show(minor, currency) for currency, minor in sorted(by_currency.items())) or money(0)
