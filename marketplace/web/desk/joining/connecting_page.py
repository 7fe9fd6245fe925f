"""The form of a connection, and a test of it, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from booking.joining.ask import Proposed
from booking.joining.outcomes import Outcome
from booking.joining.view import ConnectionView, SystemTestView
from marketplace.web import schema_form
from marketplace.web.formats import listed, sentences
from marketplace.web.language import by_language
from marketplace.web.parts import Turn
from marketplace.web.schema_form import Fields, Group
from providers.adapters.settings import TEST_SETTINGS, form_schema
from providers.registry import about, settings_schema, with_system

SETTINGS = "settings"
LONGEST_URL, LONGEST_SECRET = 2_000, 10_000


@dataclass(frozen=True)
class Kind:
    """A kind of system that can be chosen."""

    code: str
    name: str
    systems: str


@dataclass(frozen=True)
class Ask:
    """What the form says beside its fields: the kind of system, where its address may lead, and of the secret what it
    is, where it comes from, whether it may have several lines, and whether one is `stored`. `own` and `tests` are the
    settings: how it is called, and how it is tried."""

    kind: Kind
    stays: bool
    networks: str
    secret: str
    secret_help: str
    long_secret: bool
    stored: bool
    own: tuple[Group, ...]
    tests: tuple[Group, ...]


@dataclass(frozen=True)
class Call:
    """What was asked, and the status that came; blank where nothing did."""

    asked: str
    came: str


@dataclass(frozen=True)
class TriedPage:
    """A test. `turn` says how it stands; the rest is blank while it is under way."""

    id: str
    under_way: bool
    kind: str
    base_url: str
    asked_at: datetime
    turn: Turn
    took: str
    calls: tuple[Call, ...]
    missing: tuple[str, ...]
    may_connect: bool
    needs_secret: bool
    removes_secret: bool
    loses: bool
    secret: str
    long_secret: bool
    zone: str


def kinds() -> tuple[Kind, ...]:
    """Those that can be chosen."""
    return tuple(kind(code) for code in with_system())


def kind(code: str) -> Kind:
    """One of them."""
    told = about(code)
    return Kind(code, by_language(told.name), by_language(told.systems))


def ask(adapter: str, before: ConnectionView, fields: Fields) -> Ask:
    """The form of a connection by this adapter."""
    told, schema = about(adapter), settings_schema(adapter)
    known = before.has_secret and before.adapter == adapter
    own = [name for name in schema().fields if name not in TEST_SETTINGS]
    return Ask(
        kind(adapter),
        before.stays,
        listed(before.networks),
        by_language(told.secret),
        sentences(by_language(told.secret_help), _("Blank keeps the present one.") if known else ""),
        told.long,
        before.has_secret,
        schema_form.drawn(form_schema(schema, own), SETTINGS, fields),
        schema_form.drawn(form_schema(schema, TEST_SETTINGS), SETTINGS, fields),
    )


def fields_of(
    adapter: str, base_url: str, settings: Mapping[str, str], *, without_secret: bool = False
) -> dict[str, str]:
    """What the form holds of such a connection; never its secret."""
    schema = settings_schema(adapter)
    known = form_schema(schema, schema().fields)
    words = {name: each["default"] for name, each in known["properties"].items() if "enum" in each}
    held = {name: text for name, text in settings.items() if name in known["properties"]}
    ticked = {"without_secret": "1"} if without_secret else {}
    return {"base_url": base_url, **ticked, **schema_form.fields_of(known, SETTINGS, {**words, **held})}


def proposed_in(adapter: str, fields: Fields) -> Proposed:
    """What the form proposes."""
    schema = settings_schema(adapter)
    values = schema_form.value_in(form_schema(schema, schema().fields), SETTINGS, fields)
    settings = {name: str(value) for name, value in values.items()}
    without = fields.get("without_secret") == "1"
    return Proposed(adapter, fields.get("base_url", ""), settings, fields.get("secret", ""), without)


def tried_page(it: SystemTestView, zone: str) -> TriedPage:
    """A test as its page shows it, to a reader in this time zone."""
    told = about(it.adapter)
    return TriedPage(
        it.id,
        it.under_way,
        by_language(told.name),
        it.base_url,
        it.asked_at,
        _turn(it),
        "" if it.milliseconds is None else _took(it.milliseconds),
        tuple(Call(each["asked"], _came(each["status"])) for each in it.calls),
        tuple(by_language(each) for each in it.missing),
        it.may_connect,
        it.needs_secret,
        it.removes_secret,
        it.loses,
        by_language(told.secret),
        told.long,
        zone,
    )


def _took(milliseconds: int) -> str:
    if milliseconds < 1000:
        return _("%(number)d ms", number=milliseconds)
    return _("%(seconds)s s", seconds=f"{milliseconds / 1000:.1f}")


def _came(status: int | None) -> str:
    return _("no answer") if status is None else f"HTTP {status}"


def _turn(it: SystemTestView) -> Turn:
    """How the test stands."""
    if it.late:
        said = _("It takes longer than it should: we are behind. The answer stands here once there is one.")
        return Turn(_("Your system is being tried"), said, "hourglass")
    if it.outcome is None:
        said = _("This takes seconds. The page shows the answer by itself.")
        return Turn(_("Your system is being tried"), said, "refresh-cw")
    if it.connected_at is not None and not it.in_use:
        said = _("Your system was connected otherwise since. Test these values once more to connect them again.")
        return Turn(_("Connected once"), said, "hourglass", "calm")
    if it.connected_at is not None:
        return Turn(_("Connected"), _("Your system is called with these values."), "circle-check", "ok")
    if it.outcome is Outcome.FIT and not it.may_connect:
        said = _("It is over: other values were tried or connected since, or a day has passed. Test them once more.")
        return Turn(_("These values passed"), said, "hourglass", "calm")
    title, text = _words(it.outcome, it.networks)
    if it.outcome is Outcome.FIT:
        return Turn(title, text, "circle-check", "ok")
    return Turn(title, text, "circle-alert", "bad")


def _words(outcome: Outcome, networks: Sequence[str]) -> tuple[str, str]:
    allowed = _("We call public addresses by https.")
    if networks:
        allowed = _(
            "We call public addresses by https, and what the operator allowed: %(networks)s.", networks=listed(networks)
        )
    return {
        Outcome.FIT: (_("Your system answered as it should"), _("Nothing was changed yet. Connect it below.")),
        Outcome.MISSING: (_("Your system lacks something"), _("It was reached. What it cannot do yet stands below.")),
        Outcome.NOT_AUTHORISED: (
            _("Your system does not accept our key"),
            _("It was reached, and refused what we showed. Check the secret, and whether it is allowed to us."),
        ),
        Outcome.ASKS_TO_WAIT: (_("Your system asks us to wait"), _("It was reached and is busy. Test it again later.")),
        Outcome.NOT_PUBLIC: (
            _("The name leads to an address that we do not call"),
            sentences(allowed, _("For a private network, ask the operator to allow it.")),
        ),
        Outcome.TOO_LATE: (_("Your system did not answer in time"), _("We waited as long as one call may take.")),
        Outcome.UNREACHABLE: (
            _("Your system cannot be reached"),
            _("No connection came about. Check the name and the port, and whether a firewall lets us in."),
        ),
        Outcome.TLS: (
            _("The connection is not secure"),
            _("The certificate of the server is not valid for this name, or there is no https at this port."),
        ),
        Outcome.NO_ANSWER: (
            _("The connection broke off"),
            _("It was reached, and ended the connection without an answer."),
        ),
        Outcome.NOT_THERE: (
            _("There is nothing of this protocol at the address"),
            _("A server answers there and does not know what we asked for. Check the path, and the kind of system."),
        ),
        Outcome.STATUS: (_("Your system answered with an error"), _("It was reached. Its own log says more.")),
        Outcome.NOT_UNDERSTOOD: (
            _("The answer is not of this protocol"),
            _("It was reached, and its answer cannot be read. Check the address, the settings and the kind of system."),
        ),
        Outcome.UNUSABLE: (_("These values could not be tried"), _("Test them once more.")),
        Outcome.GIVEN_UP: (_("The test was stopped in the middle"), _("That was our fault. Test it once more.")),
    }[outcome]
