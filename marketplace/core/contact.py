"""Whom people may ask, as the settings say."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.core.config import ConfigError


@dataclass(frozen=True)
class Contact:
    """How people reach us, as each page shows it; a blank one is not shown. `hours` by language (`zh`, `en`)."""

    phone: str
    email: str
    hours: Mapping[str, str]


def contact() -> Contact:
    """HELP_PHONE, HELP_EMAIL, HELP_HOURS_ZH and HELP_HOURS_EN; outside of production an example where they are not set.
    Raises ConfigError for a phone or an address that can't be one."""
    production = os.environ.get("ANXIANG_ENV", "production") == "production"
    given = {name: os.environ.get(name, "" if production else value).strip() for name, value in _EXAMPLE.items()}
    if given["HELP_PHONE"] and not re.fullmatch(r"\+?[0-9][0-9 ()-]{2,30}", given["HELP_PHONE"]):
        raise ConfigError("HELP_PHONE must be a phone number: digits, spaces, brackets and hyphens.")
    if given["HELP_EMAIL"] and not re.fullmatch(r"[^@\s<>\"']+@[^@\s<>\"']+", given["HELP_EMAIL"]):
        raise ConfigError("HELP_EMAIL must be an e-mail address.")
    hours = {"zh": given["HELP_HOURS_ZH"], "en": given["HELP_HOURS_EN"]}
    return Contact(given["HELP_PHONE"], given["HELP_EMAIL"], hours)


_EXAMPLE = {
    "HELP_PHONE": "400 000 0000",
    "HELP_EMAIL": "help@example.com",
    "HELP_HOURS_ZH": "每天 8:00–20:00",
    "HELP_HOURS_EN": "Every day, 8:00–20:00",
}
