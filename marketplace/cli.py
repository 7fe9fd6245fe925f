"""Commands for whoever runs an installation: `flask --app wsgi GROUP COMMAND`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO

import click
from flask import Flask
from flask.cli import AppGroup

from booking.actors import SYSTEM
from booking.answering.feed_history import lines_of_before
from booking.calls.connections import connection_by_code
from booking.personal.erase import erase_by_command
from booking.personal.export import write_copy
from booking.reconcile.run import run_now
from booking.reconcile.strays_by_command import cancel_stray_by_command, explain_stray_by_command
from booking.reports.reading import codes
from booking.views.books import check_books
from marketplace.api.description import CUSTOMER_API
from marketplace.api.insurer.description import INSURER_API
from marketplace.catalog.importer import ImportResult, import_sites, renew_search_columns
from marketplace.catalog.one_place.find import look_for_doubles
from marketplace.chain.verify import Finding, verify
from marketplace.core import clock, release
from marketplace.core.config import settings
from marketplace.core.database.db import reading
from marketplace.insurers_commands import insurers
from marketplace.keys_commands import keys
from marketplace.one_sentence import FOUND, one_sentence, stop
from marketplace.providers_commands import providers
from marketplace.rest import openapi
from marketplace.webhooks_commands import webhooks
from providers.partner_api.description import PARTNER_API
from providers.port import ProviderError
from providers.staff import administration
from vip.customers import blocking, person_keys
from vip.operators import account_changes, device_changes, operators, passwords
from vip.principal import Role
from vip.signin import signin

PATIENCE_SECONDS = 120
"""How long a comparison waits for another one with the same provider."""
PASSWORD_PROMPT = f"Password (at least {passwords.SHORTEST} characters, not easy to guess)"

admin = AppGroup("admin", help="People who work here.")
vip = AppGroup("vip", help="Customers.")
person = AppGroup("person", help="Data about people.")
reports = AppGroup("reports", help="Results as providers deliver them.")
catalog = AppGroup("catalog", help="Sites and offers.")
audit = AppGroup("audit", help="The chain of audit and ledger.")
installation = AppGroup("installation", help="This installation's database.")
document = AppGroup("openapi", help="The descriptions of the APIs.")


def install(app: Flask) -> None:
    """Add the commands to the application."""
    groups = (admin, vip, person, reports, catalog, audit, installation, keys, providers, insurers, webhooks, document)
    for group in groups:
        app.cli.add_command(group)
    app.cli.add_command(reconcile)


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
    """Let the operator or member with this LOGIN sign in again. What a member invited before stays over."""
    administration.resume_by_command(login, now=clock.now())


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
        stop(f"{file}: {failed.strerror}.")


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
    if result.doubles:
        click.echo(f"{result.doubles} pairs may be one place: see Double entries in the console.")


@catalog.command("find-doubles")
@one_sentence
def find_doubles() -> None:
    """Look for entries of the list that may mean one place; operators decide in the console."""
    found = look_for_doubles(now=clock.now())
    click.echo(f"{found.pairs} pairs may be one place, {found.new} of them new: see Double entries in the console.")


@catalog.command("renew-search")
@one_sentence
def renew_search_command() -> None:
    """Write down anew what each site is found by, after a release that reads names otherwise."""
    click.echo(f"{renew_search_columns()} sites changed.")


def import_file(path: Path | str, *, good_rows: bool, errors: Path | None) -> ImportResult:
    """Import, and say on stderr where the rows that can't be used stand. Stops if nothing was imported for them."""
    result = import_sites(path, good_rows, errors)
    if result.refused and not good_rows:
        stop(f"{result.refused} rows can't be used, so nothing was imported; they stand in {result.error_file}.")
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
                stop("Another comparison with this provider is still going on.")
            time.sleep(1)
    except ProviderError as problem:
        stop(f"The provider's list cannot be read ({str(problem)[:120]}); nothing was judged.")
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
        stop(f"The file of heads {file} cannot be read.")
    done = verify(report, heads_file=file)
    compared = "" if file else "; not compared with a file of heads"
    click.echo(f"{done.seals} seals, {done.lines} lines, {done.found} findings{compared}.", err=True)
    if done.found:
        click.get_current_context().exit(FOUND)


@installation.command("release")
@click.option(
    "--nothing-lost",
    is_flag=True,
    help="A standby was promoted that had every transaction: places in providers' feeds stay good.",
)
@one_sentence
def release_installation(nothing_lost: bool) -> None:
    """Let the workers of a restored copy, or of a promoted standby, send and call again. Providers are told that what
    they have read of their events no longer holds, unless nothing was lost."""
    done = release.release(now=clock.now(), nothing_lost=nothing_lost, lines_before=lines_of_before)
    click.echo("Released." if done else "It is released already.")


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


@document.command("write")
@one_sentence
def write_openapi() -> None:
    """Write the description of each API to its file in docs/."""
    for of in (CUSTOMER_API, PARTNER_API, INSURER_API):
        of.file.write_text(openapi.text(openapi.current(of)), encoding="utf-8")
        click.echo(str(of.file))
