"""The console's page on which an operator calls a provider otherwise."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.catalog.provider_profile import LONGEST_NAME, ProfileChanged
from marketplace.core import clock
from marketplace.core.errors import Invalid
from marketplace.core.text import Text
from marketplace.web.answers import Views, field, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import console_page
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from providers.applying import rename
from vip.signin.signin import SignInAgain


def provider_names(provider: str) -> Response:
    """What it is called; the form changes that."""
    who = session.operator()
    known = rename.names_of(who, provider)
    if request.method != "POST":
        return _page(provider, known, known)
    seen, wanted = (Text(field(f"{part}name_zh"), field(f"{part}name_en")) for part in ("seen_", ""))
    try:
        rename.rename(who, provider, seen, wanted, now=clock.now())
    except Invalid as refusal:
        return _page(provider, seen, wanted, refusal.status, errors={str(refusal.at): wording.sentence(refusal)})
    except SignInAgain as refusal:
        return _page(provider, seen, wanted, refusal.status, problem_of(refusal))
    except ProfileChanged as refusal:
        return _page(provider, known, known, refusal.status, problem_of(refusal))
    flash(_("Saved."), "ok")
    return see_other(url_for("console.provider", provider=provider))


def _page(
    code: str,
    seen: Text,
    typed: Text,
    status: int = 200,
    problem: Problem | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    values = {"name_zh": typed.zh, "name_en": typed.en, "seen_name_zh": seen.zh, "seen_name_en": seen.en}
    return console_page(
        "provider_names",
        "providers",
        status,
        code=code,
        called=by_language(seen),
        form=Form(values, errors or {}),
        longest=LONGEST_NAME,
        problem=problem,
    )


VIEWS: Views = {"provider_names": provider_names}
