"""Commands for providers, their programs and their members: `flask --app wsgi providers COMMAND`."""

from __future__ import annotations

import time
from typing import TextIO

import click
from flask.cli import AppGroup
from flask_babel import force_locale

from booking.actors import SYSTEM, Actor
from booking.calls import join
from booking.calls.connections import provider_id_of
from booking.calls.join import NotJoined, System
from booking.certifying.ask import queue_certification
from booking.certifying.carry_out import carry_out_next
from booking.certifying.subject import subject_id
from booking.faults.kinds import Kind
from booking.faults.plan import LARGEST_SEED, MOST_BOOKINGS
from booking.programs.run import try_program
from booking.rehearsals import view
from booking.rehearsals.ask import Wanted, ask, end_early
from booking.rehearsals.view import RehearsalView
from booking.twins.customers import customers
from booking.twins.open import open_test_mode
from booking.webhooks import contacts
from booking.webhooks.contacts import Contact
from booking.webhooks.endpoints import By
from marketplace.catalog.new_provider import add_provider
from marketplace.catalog.provider_networks import allow_networks, networks_of
from marketplace.clients import credentials, listing
from marketplace.clients.owners import SCOPES
from marketplace.core import clock
from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.db import transaction
from marketplace.core.text import Language
from marketplace.credentials_shown import show, show_clients
from marketplace.one_sentence import FOUND, INCOMPLETE, one_sentence, stop
from marketplace.rehearsal_words import explained, told
from providers.adapters.settings import BadSettings
from providers.conformance.certificates.issue import PROVISIONAL, give_provisional
from providers.conformance.step import StepResult
from providers.conformance.writing import line, summary
from providers.registry import settings_schema, with_system
from providers.staff import duties, members
from vip.operators import passwords
from vip.principal import MemberRole

pause = time.sleep
BY = "command"
"""Who does it: whoever may run commands on this machine."""
PROMPT = f"Password (at least {passwords.SHORTEST} characters, not easy to guess)"

providers = AppGroup("providers", help="Providers, their programs and members.")


@providers.command("add")
@click.argument("code")
@click.option("--name-zh", required=True, help="Its name in Chinese.")
@click.option("--name-en", required=True, help="Its name in English.")
@click.option("--time-zone", default=HOME_ZONE, show_default=True)
@click.option("--desk", is_flag=True, help="Its people answer at the desk; it has no program that does.")
@one_sentence
def add(code: str, name_zh: str, name_en: str, time_zone: str, desk: bool) -> None:
    """Make a provider that answers its bookings by the partner API or at its desk, with no server that we call. CODE
    (a-z, 0-9, -) is its name in commands, for good. It is approved by this command; one that registers at /desk/apply
    waits for an administrator."""
    adapter = "desk" if desk else "partner"
    click.echo(add_provider(code, name_zh, name_en, adapter=adapter, time_zone=time_zone, actor=BY, now=clock.now()))
    click.echo("It is approved: customers see what it sells once its other steps are done.", err=True)


@providers.command("add-member")
@click.argument("provider")
@click.option("--login", prompt=True)
@click.option("--name", prompt=True)
@click.option("--role", type=click.Choice(duties.ROLES), default="manager", show_default=True)
@click.option("--password", envvar="MEMBER_PASSWORD", prompt=PROMPT, hide_input=True, confirmation_prompt=True)
@one_sentence
def add_member(provider: str, login: str, name: str, role: MemberRole, password: str) -> None:
    """Make a member of PROVIDER (its code), who signs in at its desk; a manager invites the others there. The password
    is asked for, or taken from MEMBER_PASSWORD."""
    click.echo(members.add_member(provider, login, password, name, role, now=clock.now()))


@providers.command("test-mode")
@click.argument("provider")
@one_sentence
def test_mode(provider: str) -> None:
    """Open the test mode of PROVIDER (its code): a twin with test customers, whose code is shown. What is done with the
    twin's code (add-client, join, certify) concerns tests alone. Asked for again it changes nothing."""
    twin = open_test_mode(provider_id_of(provider), Actor("operator", BY), clock.now())
    click.echo(f"{twin.code}  {twin.public_id}")
    for each in customers(twin.id):
        click.echo(f"  test customer {each.number}  {each.public_id}  {each.name}")


@providers.command("networks")
@click.argument("provider")
@click.argument("networks", nargs=-1)
@click.option("--none", "nothing", is_flag=True, help="Public addresses only, as at the beginning.")
@one_sentence
def networks(provider: str, networks: tuple[str, ...], nothing: bool) -> None:
    """Show where the address of PROVIDER (its code) may lead besides public addresses by https, or allow NETWORKS (such
    as 10.20.0.0/16 for one behind a VPN) in place of those of before."""
    if networks or nothing:
        allow_networks(provider, networks, actor=BY, now=clock.now())
    for network in networks_of(provider) or ("public addresses only",):
        click.echo(network)


@providers.command("contacts")
@click.argument("provider")
@click.argument("emails", nargs=-1)
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="For EMAILS.")
@click.option("--none", "nobody", is_flag=True, help="Write to nobody.")
@one_sentence
def contacts_command(provider: str, emails: tuple[str, ...], language: Language, nobody: bool) -> None:
    """Show who is written to at PROVIDER (its code) when an endpoint of its webhooks stops, or write to these EMAILS
    and nobody besides."""
    provider_id = provider_id_of(provider)
    if emails or nobody:
        given = [Contact(email, language) for email in emails]
        contacts.set_contacts(provider_id, given, by=By("operator", BY), now=clock.now())
    for contact in contacts.contacts_of(provider_id):
        click.echo(f"{contact.email}  {contact.language}")


@providers.command("vouch")
@click.argument("provider")
@one_sentence
def vouch(provider: str) -> None:
    """Give PROVIDER (its code), which has no certificate yet, provisional ones for 30 days: its offers are given out
    meanwhile, and it has that time to prove what they rest on."""
    provider_id = provider_id_of(provider)
    with transaction() as session:
        given = give_provisional(session, provider_id, now=clock.now())
    if not given:
        stop("It has certificates already, or needs none.")
    click.echo(f"Provisional certificates for {PROVISIONAL.days} days.")


@providers.command("certify")
@click.argument("provider")
@one_sentence
def certify(provider: str) -> None:
    """Try PROVIDER (its code) against the contract at once, and give it a certificate for each capability that it
    proves. A provider's program is tried in its test mode, while a worker runs; the twin's code is as good as its own.
    Exit code 0: all are proved; 3: not all; 1: it could not be tried."""

    def heard(step: StepResult) -> None:
        click.echo(line(step))

    with transaction() as session:
        queued = queue_certification(session, provider, SYSTEM, now=clock.now())
    if not queued:
        stop("A run for this provider was asked for already, or is under way.")
    tried = subject_id(provider_id_of(provider))
    result = carry_out_next(clock.now, try_program, provider_id=tried, heard=heard)
    if result is None:
        stop("The worker has taken the run over, or the provider's settings cannot be used: see the console.")
    click.echo(summary(result))
    if not result.passed:
        click.get_current_context().exit(FOUND)


@providers.command("rehearse")
@click.argument("provider")
@click.option("--faults", default=",".join(Kind), show_default=True, help="Which, separated by commas.")
@click.option("--bookings", type=click.IntRange(1, MOST_BOOKINGS), default=len(Kind), show_default=True)
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="By chance without it.")
@click.option("--offer", help="The reference of its offer; the first without it.")
@one_sentence
def rehearse(provider: str, faults: str, bookings: int, seed: int | None, offer: str | None) -> None:
    """Have the worker strike test bookings of PROVIDER (the code of one in test mode) with FAULTS, and wait for what
    comes of it. The same seed strikes the same bookings in the same order. Exit code 0: all was tried and right; 3:
    something was wrong; 4: something was not tried, or it was ended."""
    unknown = set(faults.split(",")) - set(Kind)
    if unknown:
        stop(f"No fault: {', '.join(sorted(unknown))}. There are {', '.join(Kind)}.")
    wanted = Wanted([Kind(each) for each in faults.split(",")], bookings, seed, offer)
    provider_id = provider_id_of(provider)
    made = ask(provider_id, wanted, SYSTEM, now=clock.now())
    it = _ended(provider_id, made)
    with force_locale("en"):
        for each in it.results:
            click.echo(f"{each.number:>2}  {each.fault:<12}  {each.state:<9}  {explained(each.reason)}")
            if each.reason == "not_booked" and each.steps:
                click.echo(f"    {told(each.steps[-1])}")
    click.echo(f"seed {it.seed}: {it.right} right, {it.wrong} wrong, {it.not_tried} not tried")
    if not it.passed:
        click.echo(it.outcome)
        click.get_current_context().exit(FOUND if it.outcome == "failed" else INCOMPLETE)


def _ended(provider_id: int, rehearsal_id: str) -> RehearsalView:
    """Wait until the worker has ended a rehearsal; interrupted, have it end."""
    try:
        while (it := view.rehearsal(provider_id, rehearsal_id)).finished_at is None:
            pause(1)
    except KeyboardInterrupt:
        end_early(provider_id, rehearsal_id, now=clock.now())
        raise
    return it


@providers.command("join")
@click.argument("provider")
@click.option("--adapter", type=click.Choice(with_system()), required=True, help="What its system speaks.")
@click.option("--url", required=True, help="The base address of its system.")
@click.option("--setting", "given", multiple=True, metavar="NAME=VALUE", help="See `providers settings ADAPTER`.")
@click.option("--secret-file", type=click.File(), help="A file with its secret or our private key; - reads it here.")
@one_sentence
def join_command(provider: str, adapter: str, url: str, given: tuple[str, ...], secret_file: TextIO | None) -> None:
    """Connect PROVIDER (its code) to its own system, after asking that what it can do."""
    pairs = dict(each.partition("=")[::2] for each in given)
    secret = secret_file.read().strip() if secret_file is not None else ""
    try:
        join.join_system(provider, System(adapter, url, pairs, secret), actor=BY, now=clock.now())
    except BadSettings as wrong:
        stop(f"Settings: {wrong}")
    except NotJoined as refused:
        stop(str(refused))
    click.echo("The provider is connected to its system.")


@providers.command("settings")
@click.argument("adapter", type=click.Choice(with_system()))
def settings_command(adapter: str) -> None:
    """List the settings of providers whose systems speak ADAPTER, with what each is without being set."""
    for name, field in settings_schema(adapter)().fields.items():
        label, help = field.metadata["label"].en, field.metadata["help"].en
        click.echo(f"{name}  {'. '.join(filter(None, (label, help)))} [{field.load_default}]")


@providers.command("check")
@click.argument("provider")
@one_sentence
def check(provider: str) -> None:
    """Ask the system of PROVIDER whether it can do what we need, and say what is missing (exit code 3)."""
    try:
        missing = join.missing_now(provider)
    except BadSettings as wrong:
        stop(f"Settings: {wrong}")
    except NotJoined as silent:
        stop(str(silent))
    if missing is None:
        stop("Its system is of a kind that does not say what it can do.")
    for sentence in missing:
        click.echo(sentence)
    if missing:
        raise click.exceptions.Exit(FOUND)
    click.echo("Nothing that we need is missing.")


@providers.command("add-client")
@click.argument("provider")
@click.argument("name")
@click.option("--scope", "scopes", type=click.Choice(list(SCOPES)), multiple=True, help="All of them without this.")
@one_sentence
def add_client(provider: str, name: str, scopes: tuple[str, ...]) -> None:
    """Make an API client for PROVIDER (its code), to be known as NAME; its secret is shown once."""
    show(credentials.add_client(provider, name, scopes or tuple(SCOPES), by=credentials.operator(BY), now=clock.now()))


@providers.command("clients")
@click.argument("provider")
@one_sentence
def list_clients(provider: str) -> None:
    """List the API clients of PROVIDER with their secrets: when they were made, and when each was last used."""
    show_clients(listing.clients_of(provider))


@providers.command("add-secret")
@click.argument("client")
@one_sentence
def add_secret(client: str) -> None:
    """Make a second secret for CLIENT (cli_...), to be used before the first one is ended; it is shown once."""
    show(credentials.add_secret(client, by=credentials.operator(BY), now=clock.now()))


@providers.command("end-secret")
@click.argument("client")
@click.argument("secret")
@one_sentence
def end_secret(client: str, secret: str) -> None:
    """End a SECRET (sec_...) of CLIENT and every token that was given for it, at once."""
    credentials.end_secret(client, secret, by=credentials.operator(BY), now=clock.now())
    click.echo("The secret and its tokens have ended.")


@providers.command("end-client")
@click.argument("client")
@one_sentence
def end_client(client: str) -> None:
    """End CLIENT with its secrets and tokens, at once and for good."""
    credentials.end_client(client, by=credentials.operator(BY), now=clock.now())
    click.echo("The client has ended.")
