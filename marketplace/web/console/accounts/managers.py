"""The console's page that makes the first manager of a provider."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, TooMany
from marketplace.web.answers import Views, field, retry_after
from marketplace.web.console import session
from marketplace.web.console.answers import console_page
from marketplace.web.doors.problems import problem_of
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from providers.staff import first_manager
from vip.operators.operators import LoginTaken
from vip.signin.signin import SignInAgain


def provider_manager(provider: str) -> Response:
    """Make her; the answer shows her password for the first sign-in, once."""
    who = session.operator()
    place = first_manager.provider_without(who, provider)
    shown: dict[str, Any] = {
        "provider": place.code,
        "provider_name": by_language(place.name),
        "made": None,
        "problem": None,
    }
    if request.method != "POST":
        return console_page("provider_manager", "providers", **shown, form=Form())
    given = {"login": field("login", 200), "name": field("name", 200)}
    try:
        made = first_manager.make_first(who, provider, given["login"], given["name"], now=clock.now())
    except (Invalid, LoginTaken, TooMany) as refusal:
        message = wording.sentence(refusal)
        form = Form(given, {refusal.at: message}) if refusal.at in given else Form(given, problem=message)
        return retry_after(console_page("provider_manager", "providers", refusal.status, **shown, form=form), refusal)
    except SignInAgain as refusal:
        shown["problem"] = problem_of(refusal)
        return console_page("provider_manager", "providers", refusal.status, **shown, form=Form(given))
    shown["made"] = made
    return console_page("provider_manager", "providers", **shown, login=given["login"], form=Form())


VIEWS: Views = {"provider_manager": provider_manager}
