"""What of Flask-Babel 4 this project uses; the library has annotations for part of it and no py.typed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

from babel import Locale
from flask import Flask
from flask_babel.speaklater import LazyString

class Babel:
    def __init__(
        self,
        app: Flask | None = None,
        *,
        default_locale: str = ...,
        locale_selector: Callable[[], str] | None = None,
    ) -> None: ...

def force_locale(locale: Locale | str) -> AbstractContextManager[None]: ...
def format_date(date: date | None = None, format: str | None = None, rebase: bool = True) -> str: ...
def get_locale() -> Locale | None: ...
def gettext(message: str, /, **variables: object) -> str: ...
def lazy_gettext(message: str, /, **variables: object) -> LazyString: ...
def ngettext(singular: str, plural: str, num: int, /, **variables: object) -> str: ...
