"""Every cookie that the product sets: its name, how long it lasts, and who may see it. Nothing else sets one.

Behind TLS a cookie of the whole site is `__Host-…` and one of a part of it `__Secure-…` (RFC 6265bis, 4.1.3): no plain
connection may set it, and the first kind no other host of the domain either. In development, where there is no TLS,
names are plain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from flask import Response, request

from marketplace.core.config import settings

OPERATORS = "/operators"
MEMBERS = "/desk"
_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Cookie:
    """One cookie. `lasts` None: until the browser closes, or as long as what it carries. `scripts`: those of our pages
    may read it."""

    plain_name: str
    lasts: timedelta | None = None
    path: str = "/"
    same_site: Literal["Lax", "Strict"] = "Lax"
    scripts: bool = False

    @property
    def name(self) -> str:
        """What browsers know it by."""
        if settings().development:
            return self.plain_name
        return f"__Host-{self.plain_name}" if self.path == "/" else f"__Secure-{self.plain_name}"

    def read(self) -> str:
        """What the browser sent, blank without one."""
        return request.cookies.get(self.name, "")

    def write(self, response: Response, value: str, expires_at: datetime | None = None) -> None:
        """Hand it to the browser, until `expires_at` if what it carries has an end of its own."""
        response.set_cookie(
            self.name,
            value,
            max_age=None if expires_at else self.lasts,
            expires=expires_at,
            path=self.path,
            httponly=not self.scripts,
            samesite=self.same_site,
            secure=not settings().development,
        )

    def delete(self, response: Response) -> None:
        """Take it back."""
        response.delete_cookie(
            self.name,
            path=self.path,
            httponly=not self.scripts,
            samesite=self.same_site,
            secure=not settings().development,
        )


SIGNED_IN = Cookie("signed_in")
KNOWN_DEVICE = Cookie("known_device", _YEAR)
OPERATOR = Cookie("operator", path=OPERATORS, same_site="Strict")
KNOWN_OPERATOR = Cookie("known_operator", _YEAR, path=OPERATORS, same_site="Strict")
OPERATOR_STEP = Cookie("operator_step", path=OPERATORS, same_site="Strict")
DESK = Cookie("desk", path=MEMBERS, same_site="Strict")
KNOWN_DESK = Cookie("known_desk", _YEAR, path=MEMBERS, same_site="Strict")
DESK_STEP = Cookie("desk_step", path=MEMBERS, same_site="Strict")
PAGES = Cookie("session")
"""Flask's own, signed: what a form keeps for its next step, and the secret behind the forms' tokens."""
LANGUAGE = Cookie("lang", _YEAR)
CITIES = Cookie("city", _YEAR)
THEME = Cookie("theme", _YEAR, scripts=True)

OF_DOORS = (OPERATOR, KNOWN_OPERATOR, OPERATOR_STEP, DESK, KNOWN_DESK, DESK_STEP)
ALL = (SIGNED_IN, KNOWN_DEVICE, *OF_DOORS, PAGES, LANGUAGE, CITIES, THEME)


def of_pages() -> dict[str, str | bool]:
    """Flask's settings for its own cookie."""
    return {
        "SESSION_COOKIE_NAME": PAGES.name,
        "SESSION_COOKIE_PATH": PAGES.path,
        "SESSION_COOKIE_SECURE": not settings().development,
        "SESSION_COOKIE_HTTPONLY": not PAGES.scripts,
        "SESSION_COOKIE_SAMESITE": PAGES.same_site,
    }
