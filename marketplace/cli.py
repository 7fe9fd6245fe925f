"""Commands for whoever runs an installation: `flask --app wsgi GROUP COMMAND`.

What can't be done is one clear sentence on stderr and exit code 1.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NoReturn, ParamSpec, TypeVar

import click
from flask import Flask
from flask.cli import AppGroup
from flask_babel import force_locale
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from booking.actors import SYSTEM
from booking.calls.connections import connection_by_code
from booking.keys.count import PartCount, count, count_unmoved
from booking.keys.rewrap import BATCH, Progress, rewrap
from booking.keys.rotate import PURPOSES, Purpose, rotate
from booking.keys.unmoved import Left
from booking.personal.erase import erase_by_command
from booking.personal.export import write_copy
from booking.reconcile.repair import cancel_stray_by_command, explain_stray_by_command
from booking.reconcile.run import run_now
from booking.reports.reading import codes
from booking.views.books import check_books
from marketplace import wording
from marketplace.api import openapi
from marketplace.catalog.importer import ImportResult, import_sites
from marketplace.chain.verify import Finding, verify
from marketplace.core import clock, release
from marketplace.core.config import ConfigError, settings
from marketplace.core.database.db import reading
from marketplace.core.errors import Refusal
from providers.port import ProviderError
from vip.customers import blocking, person_keys
from vip.operators import account_changes, device_changes, operators, passwords
from vip.principal import Role
from vip.signin import signin

FOUND = 3
"""The exit code of a verification that found something."""
PATIENCE_SECONDS = 120
PASSWORD_PROMPT = f"Password (at least {passwords.SHORTEST} characters, not easy to guess)"
"""How long a comparison waits for another one with the same provider."""

P = ParamSpec("P")
R = TypeVar("R")

admin = AppGroup("admin", help="People who work here.")
vip = AppGroup("vip", help="Customers.")
person = AppGroup("person", help="Data about people.")
reports = AppGroup("reports", help="Results as providers deliver them.")
catalog = AppGroup("catalog", help="Sites and offers.")
audit = AppGroup("audit", help="The chain of audit and ledger.")
installation = AppGroup("installation", help="This installation's database.")
keys = AppGroup("keys", help="The keys that seal, index and sign.")
document = AppGroup("openapi", help="The API's description.")


def install(app: Flask) -> None:
    """Add the commands to the application."""
    for group in (admin, vip, person, reports, catalog, audit, installation, keys, document):
        app.cli.add_command(group)
    app.cli.add_command(reconcile)


def one_sentence(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what the command refuses into one sentence and exit code 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Refusal as refusal:
            with force_locale("en"):
                sentence = wording.sentence(refusal)
            _stop(f"{refusal.at}: {sentence}" if refusal.at else sentence)
        except ConfigError as wrong:
            _stop(str(wrong))
        except (OperationalError, PoolTimeout):
            _stop("The database of DATABASE_URL does not answer.")
        except DBAPIError as failed:
            _stop(f"The database refused ({type(failed.orig).__name__}); is it migrated? Run `make migrate`.")

    return run


def _stop(sentence: str) -> NoReturn:
    raise click.ClickException(sentence)


@admin.command("create")
@click.option("--login", prompt=True)
@click.option("--name", prompt=True)
@click.option("--role", type=click.Choice(operators.ROLES), default="admin", show_default=True)
@click.option("--password", envvar="ADMIN_PASSWORD", prompt=PASSWORD_PROMPT, hide_input=True, confirmation_prompt=True)
@one_sentence
def create_operator(login: str, name: str, role: Role, password: str) -> None:
    """Make an administrator, or an agent for the phone desk; the password is asked for, or taken from
    ADMIN_PASSWORD."""
    click.echo(operators.create_operator(login, password, name, role, now=clock.now()))


@admin.command("set-password")
@click.argument("login")
@click.option("--password", envvar="ADMIN_PASSWORD", prompt=PASSWORD_PROMPT, hide_input=True, confirmation_prompt=True)
@one_sentence
def set_password(login: str, password: str) -> None:
    """Give the operator with this LOGIN a new password and end all sessions."""
    click.echo(f"{account_changes.set_password(login, password, now=clock.now())} sessions ended.")


@admin.command("end-service")
@click.argument("login")
@one_sentence
def end_service(login: str) -> None:
    """End the service of the operator with this LOGIN: all sessions end at once, no sign-in works."""
    click.echo(f"{account_changes.end_service(login, now=clock.now())} sessions ended.")


@admin.command("resume-service")
@click.argument("login")
@one_sentence
def resume_service(login: str) -> None:
    """Let the operator with this LOGIN sign in again."""
    account_changes.return_to_service(login, now=clock.now())


@admin.command("reset-second-factor")
@click.argument("login")
@one_sentence
def reset_second_factor(login: str) -> None:
    """Take the second factor of the operator with this LOGIN away, for who lost device and recovery codes; all sessions
    end."""
    click.echo(f"{device_changes.reset_by_command(login, now=clock.now())} sessions ended.")


@vip.command("block")
@click.argument("phone")
@one_sentence
def block(phone: str) -> None:
    """Block the customer with this PHONE: all sessions end at once, no sign-in works. Bookings stay."""
    click.echo(f"{blocking.block_by_command(phone, now=clock.now())} sessions ended.")


@vip.command("unblock")
@click.argument("phone")
@one_sentence
def unblock(phone: str) -> None:
    """Let the customer with this PHONE sign in again."""
    blocking.unblock_by_command(phone, now=clock.now())


@vip.command("issue-token")
@click.argument("phone")
@one_sentence
def issue_token(phone: str) -> None:
    """Print a bearer token of the customer with this PHONE."""
    click.echo(signin.issue_token(phone, clock.now()).token)


@person.command("export")
@click.argument("customer")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@one_sentence
def export_person(customer: str, file: Path) -> None:
    """Write everything about a CUSTOMER (her public id) to a ZIP FILE that only you can read; of one who was erased,
    what stays of her."""
    with _only_ours(file) as to:
        write_copy(customer, to, now=clock.now())
    click.echo(f"{file.stat().st_size} bytes.")


@person.command("erase")
@click.argument("customer")
@click.option("--yes", is_flag=True, help="Don't ask.")
@one_sentence
def erase_person(customer: str, yes: bool) -> None:
    """Delete what may go of a CUSTOMER (her public id) and her family, or of one person whom she removed, for good;
    prints what stays and until when."""
    if not yes:
        click.confirm(f"Delete the data of {customer} for good?", abort=True)
    for it in erase_by_command(customer, now=clock.now()):
        click.echo(f"{it.what} stays until {it.until or 'further notice, naming nobody'}.")


@person.command("class-keys")
@one_sentence
def class_keys() -> None:
    """Give everybody from before the classes of data a key for each class. Can be run again."""
    click.echo(f"{person_keys.move_all(person_keys.move_to_classes)} people.")


@person.command("one-key")
@one_sentence
def one_key() -> None:
    """The way back: give everybody one key for all of her data, before going back to a release without classes."""
    click.echo(f"{person_keys.move_all(person_keys.move_to_one_key)} people.")


def _only_ours(file: Path) -> IO[bytes]:
    """A new file that nobody else may read; one of this name is not overwritten."""
    try:
        return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as failed:
        _stop(f"{file}: {failed.strerror}.")


@reports.command("map-codes")
@click.argument("provider")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@one_sentence
def map_codes(provider: str, file: Path) -> None:
    """Say what a PROVIDER's own codes for results mean: a CSV FILE with the columns code and item."""
    click.echo(f"{codes.map_codes(provider, file, now=clock.now())} codes.")


@catalog.command("import-sites")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--good-rows", is_flag=True, help="Import the rows that can be used although others can't.")
@click.option("--errors", type=click.Path(path_type=Path), help="Where to write the rows that can't be used.")
@one_sentence
def import_sites_command(path: Path, good_rows: bool, errors: Path | None) -> None:
    """Load sites from a CSV file; loading it twice changes nothing."""
    result = import_file(path, good_rows=good_rows, errors=errors)
    click.echo(
        f"{result.inserted} new, {result.updated} changed, {result.unchanged} unchanged, {result.refused} refused."
    )


def import_file(path: Path | str, *, good_rows: bool, errors: Path | None) -> ImportResult:
    """Import, and say on stderr where the rows that can't be used stand. Stops if nothing was imported for them."""
    result = import_sites(path, good_rows, errors)
    if result.refused and not good_rows:
        _stop(f"{result.refused} rows can't be used, so nothing was imported; they stand in {result.error_file}.")
    if result.refused:
        click.echo(f"{result.refused} rows can't be used; they stand in {result.error_file}.", err=True)
    return result


@click.command("reconcile")
@click.argument("provider")
@one_sentence
def reconcile(provider: str) -> None:
    """Compare our bookings with those of PROVIDER (its code) at once; prints what was found."""
    with reading() as session:
        connection = connection_by_code(session, provider)
    give_up = time.monotonic() + PATIENCE_SECONDS
    try:
        while (counts := run_now(connection, connection.open(), SYSTEM, clock=clock.now)) is None:
            if time.monotonic() > give_up:
                _stop("Another comparison with this provider is still going on.")
            time.sleep(1)
    except ProviderError as problem:
        _stop(f"The provider's list cannot be read ({str(problem)[:120]}); nothing was judged.")
    click.echo(" ".join(f"{name}={number}" for name, number in sorted(counts.items())))


@audit.command("verify")
@click.option(
    "--heads",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file of heads; without it that of AUDIT_HEADS_FILE.",
)
@one_sentence
def verify_audit(heads: Path | None) -> None:
    """Verify the lines of audit and ledger against the chain, and the chain against the file of heads.

    Each finding is a line on stdout. Exit code 0: nothing found; 3: something found; 1: it could not be verified.
    """

    def report(finding: Finding) -> None:
        click.echo(str(finding))

    file = heads or settings().audit_heads_file
    if file is not None and not file.is_file():
        _stop(f"The file of heads {file} cannot be read.")
    done = verify(report, heads_file=file)
    compared = "" if file else "; not compared with a file of heads"
    click.echo(f"{done.seals} seals, {done.lines} lines, {done.found} findings{compared}.", err=True)
    if done.found:
        click.get_current_context().exit(FOUND)


@installation.command("release")
@one_sentence
def release_installation() -> None:
    """Let the workers of a restored copy, or of a promoted standby, send and call again."""
    click.echo("Released." if release.release(now=clock.now()) else "It is released already.")


@installation.command("cancel-stray")
@click.argument("case")
@one_sentence
def cancel_stray(case: str) -> None:
    """Have a provider cancel what is nobody's of ours, by its CASE (dsc_...)."""
    queued = cancel_stray_by_command(case, now=clock.now())
    click.echo("The provider is asked to cancel it." if queued else "That is on its way.")


@installation.command("explain-stray")
@click.argument("case")
@click.argument("note")
@one_sentence
def explain_stray(case: str, note: str) -> None:
    """Close the CASE (dsc_...) of what is nobody's of ours at a provider, with a NOTE that explains it."""
    explain_stray_by_command(case, note, now=clock.now())
    click.echo("The case is closed.")


@installation.command("check")
@one_sentence
def check_installation() -> None:
    """Compare the counters of entitlements and slots with the lines they are the sums of. Exit code 3: they differ."""
    wrong = check_books()
    for each in wrong:
        click.echo(each)
    click.echo(f"{len(wrong)} differences; {'held back' if release.look() else 'released'}.", err=True)
    if wrong:
        click.get_current_context().exit(FOUND)


@keys.command("list")
@one_sentence
def list_keys() -> None:
    """Show the live keys and how many values rest on each. Every value is opened, so it takes a while."""
    counts, unmoved = count(), count_unmoved(now=clock.now())
    for ring in ("master", "index"):
        click.echo(f"{ring} keys")
        mine = [part for part in counts if part.ring == ring]
        for number, key in enumerate(mine[0].live):
            _say_key(key, mine, unmoved if ring == "index" else (), used=number == 0)
    for part in counts:
        if part.unreadable:
            click.echo(f"{part.part}: {part.unreadable} rest on no live key or do not open")
        if gone := part.beside.get(None):
            click.echo(f"{part.part}: {gone} fingerprints are left of keys that are gone; a rewrap deletes them")
        if part.unknown:
            click.echo(f"{part.part}: {part.unknown} can't be indexed anew (docs/keys.md)")
    for each in unmoved:
        _say_unmoved(each, next(part.live for part in counts if part.ring == "index"))


def _say_key(key: str, parts: Sequence[PartCount], unmoved: Sequence[Left], *, used: bool) -> None:
    resting = {part.part: part.by_key[key] for part in parts if part.by_key.get(key)}
    beside = {part.beside_part: part.beside[key] for part in parts if part.beside.get(key)}
    stays = {each.column: each.by_key[key] for each in unmoved if each.by_key.get(key)}
    left = sum(part.left for part in parts)
    if used:
        state = f"used for what is new; {left} rows wait for a rewrap" if left else "used for what is new"
    elif resting:
        state = "in use for what is older"
    elif stays:
        state = f"in use for {sum(stays.values())} values that no rewrap moves (docs/keys.md)"
    else:
        state = "nothing rests on it"
    if beside and not used and not resting:
        state += f"; its {sum(beside.values())} fingerprints go with a rewrap after it is out of the settings"
    click.echo(f"  {key}: {state}")
    for part, number in (resting | stays | beside).items():
        click.echo(f"    {part}: {number}")


def _say_unmoved(each: Left, live: Sequence[str]) -> None:
    gone = sum(number for key, number in each.by_key.items() if key is not None and key not in live)
    if gone:
        click.echo(f"{each.column}: {gone} rest on index keys that are gone (docs/keys.md)")
    if number := each.by_key.get(None):
        last = f"; the last ends at {each.last}" if each.last else ""
        click.echo(f"{each.column}: {number} rest on an index key whose id is not stored{last}")


@keys.command("rotate")
@click.argument("purpose", type=click.Choice(PURPOSES))
@one_sentence
def rotate_key(purpose: Purpose) -> None:
    """Make a new key and print the settings that bring it in, in two steps. They are secret: they are printed here and
    stored nowhere."""
    made = rotate(purpose, now=clock.now())
    steps = (("1. For every process; then start all anew:", made.known), ("2. Afterwards the same with:", made.used))
    for title, values in steps:
        click.echo(title, err=True)
        for name, value in values.items():
            click.echo(f"{name}={value}")
    if made.gone:
        click.echo(f"{made.gone} goes with step 1: its key is among them.", err=True)


@keys.command("rewrap")
@click.option("--batch", type=click.IntRange(1, 5000), default=BATCH, show_default=True, help="Rows a transaction.")
@one_sentence
def rewrap_keys(batch: int) -> None:
    """Bring everything to the current keys, while all goes on. It can be ended and started again, and run twice at
    once. Exit code 3: something does not open."""
    said = time.monotonic()

    def say(done: Progress) -> None:
        nonlocal said
        if done.finished or time.monotonic() - said >= 1:
            said = time.monotonic()
            state = "finished" if done.finished else "under way"
            click.echo(f"{done.part}: {done.seen} looked at, {done.moved} moved, {done.unreadable} unreadable, {state}")

    done = rewrap(now=clock.now, batch=batch, wait=time.sleep, say=say)
    unreadable = sum(part.unreadable for part in done)
    click.echo(f"{sum(part.moved for part in done)} moved, {unreadable} unreadable.", err=True)
    if unreadable:
        click.get_current_context().exit(FOUND)


@document.command("write")
@one_sentence
def write_openapi() -> None:
    """Write the API's description to docs/openapi.json."""
    openapi.FILE.write_text(openapi.text(openapi.current()), encoding="utf-8")
    click.echo(str(openapi.FILE))
