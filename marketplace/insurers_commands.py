"""Commands for insurers' programs, the keys of their apps, and snapshots: `flask --app wsgi insurers COMMAND`."""

from __future__ import annotations

from typing import TextIO

import click
from flask.cli import AppGroup

from marketplace.clients import credentials, listing
from marketplace.clients.owners import INSURERS, INSURERS_SCOPES
from marketplace.core import clock
from marketplace.credentials_shown import show, show_clients
from marketplace.one_sentence import one_sentence
from vip.insurers import ending, keys, snapshots
from vip.insurers.snapshots import Snapshot

BY = "command"
"""Who does it: whoever may run commands on this machine."""

insurers = AppGroup("insurers", help="Insurers' programs, the keys of their apps, and snapshots of their policies.")


@insurers.command("add-client")
@click.argument("insurer")
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(list(INSURERS_SCOPES)), multiple=True, help="All of them without this."
)
@one_sentence
def add_client(insurer: str, name: str, scopes: tuple[str, ...]) -> None:
    """Make an API client for INSURER (its code), to be known as NAME; its secret is shown once."""
    by = credentials.operator(BY, INSURERS)
    show(credentials.add_client(insurer, name, scopes or tuple(INSURERS_SCOPES), by=by, now=clock.now()))


@insurers.command("clients")
@click.argument("insurer")
@one_sentence
def list_clients(insurer: str) -> None:
    """List the API clients of INSURER with their secrets: when they were made, and when each was last used."""
    show_clients(listing.clients_of(insurer, INSURERS))


@insurers.command("add-secret")
@click.argument("client")
@one_sentence
def add_secret(client: str) -> None:
    """Make a second secret for CLIENT (cli_...), to be used before the first one is ended; it is shown once."""
    show(credentials.add_secret(client, by=credentials.operator(BY, INSURERS), now=clock.now()))


@insurers.command("end-secret")
@click.argument("client")
@click.argument("secret")
@one_sentence
def end_secret(client: str, secret: str) -> None:
    """End a SECRET (sec_...) of CLIENT, every token that was given for it, and the sessions to which the client brought
    customers, at once."""
    ending.end_secret(client, secret, by=credentials.operator(BY, INSURERS), now=clock.now())
    click.echo("The secret and its tokens have ended, and customers whom the client brought are signed out.")


@insurers.command("end-client")
@click.argument("client")
@one_sentence
def end_client(client: str) -> None:
    """End CLIENT with its secrets, tokens and the sessions to which it brought customers, at once and for good."""
    ending.end_client(client, by=credentials.operator(BY, INSURERS), now=clock.now())
    click.echo("The client has ended, and customers whom it brought are signed out.")


@insurers.command("add-keys")
@click.argument("insurer")
@click.argument("file", type=click.File())
@click.option("--issuer", required=True, help="What its app calls itself in `iss`: an address with https.")
@one_sentence
def add_keys(insurer: str, file: TextIO, issuer: str) -> None:
    """Register the public keys in FILE (a JWK, a set of JWKs, or one key in PEM; - reads them here) by which the app of
    INSURER (its code) signs whom it has signed in."""
    for each in keys.add_keys(insurer, issuer, file.read(), actor=BY, now=clock.now()):
        _show_key(each)


@insurers.command("keys")
@click.argument("insurer")
@one_sentence
def list_keys(insurer: str) -> None:
    """List the keys of the app of INSURER that are in use."""
    for each in keys.keys_of(insurer):
        _show_key(each)


@insurers.command("end-key")
@click.argument("key")
@one_sentence
def end_key(key: str) -> None:
    """End KEY (ike_...) and every session to which customers of its insurer were brought, at once."""
    keys.end_key(key, actor=BY, now=clock.now())
    click.echo("The key has ended, and customers whom the app brought are signed out.")


@insurers.command("snapshots")
@one_sentence
def list_snapshots() -> None:
    """List snapshots of policies that wait for a person: more vanished than their insurer had stated."""
    for each in snapshots.waiting():
        _show_snapshot(each)


@insurers.command("decide-snapshot")
@click.argument("snapshot")
@click.option("--end/--leave", required=True, help="End the policies that vanished, or leave them as they are.")
@one_sentence
def decide_snapshot(snapshot: str, end: bool) -> None:
    """End what vanished in SNAPSHOT (snp_...), which waits for a person, or leave it. What the insurer has told since
    stays in any case."""
    _show_snapshot(snapshots.decide(snapshot, end=end, actor=BY, now=clock.now()))


def _show_key(key: keys.AppKey) -> None:
    click.echo(f"{key.id}  {key.kid}  {' '.join(key.algorithms)}  {key.issuer}  made {key.made:%Y-%m-%d}")


def _show_snapshot(shown: Snapshot) -> None:
    click.echo(f"{shown.id}  {shown.state}  {shown.vanished} of {shown.known} vanished, {shown.ended} ended")
