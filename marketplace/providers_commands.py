"""Commands for providers' programs: `flask --app wsgi providers COMMAND`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from marketplace.catalog.new_provider import add_provider
from marketplace.core import clock
from marketplace.core.clock import HOME_ZONE
from marketplace.one_sentence import one_sentence
from providers.clients import credentials, listing
from providers.clients.credentials import Credentials
from providers.clients.scopes import SCOPES

BY = "command"
"""Who does it: whoever may run commands on this machine."""

providers = AppGroup("providers", help="Providers and their programs.")


@providers.command("add")
@click.argument("code")
@click.option("--name-zh", required=True, help="Its name in Chinese.")
@click.option("--name-en", required=True, help="Its name in English.")
@click.option("--time-zone", default=HOME_ZONE, show_default=True)
@one_sentence
def add(code: str, name_zh: str, name_en: str, time_zone: str) -> None:
    """Make a provider that answers its bookings by the partner API, with no server that we call. CODE (a-z, 0-9, -) is
    its name in commands, for good."""
    click.echo(add_provider(code, name_zh, name_en, adapter="partner", time_zone=time_zone, actor=BY, now=clock.now()))


@providers.command("add-client")
@click.argument("provider")
@click.argument("name")
@click.option("--scope", "scopes", type=click.Choice(list(SCOPES)), multiple=True, help="All of them without this.")
@one_sentence
def add_client(provider: str, name: str, scopes: tuple[str, ...]) -> None:
    """Make an API client for PROVIDER (its code), to be known as NAME; its secret is shown once."""
    _show(credentials.add_client(provider, name, scopes or tuple(SCOPES), actor=BY, now=clock.now()))


@providers.command("clients")
@click.argument("provider")
@one_sentence
def list_clients(provider: str) -> None:
    """List the API clients of PROVIDER with their secrets: when they were made, and when each was last used."""
    for client in listing.clients_of(provider):
        click.echo(f"{client.id}  {client.name}  {' '.join(client.scopes)}{'  ended' if client.ended else ''}")
        for secret in client.secrets:
            used = f"{secret.last_token:%Y-%m-%d %H:%M} UTC" if secret.last_token else "never"
            click.echo(f"  {secret.id}  made {secret.made:%Y-%m-%d}  last token {used}")


@providers.command("add-secret")
@click.argument("client")
@one_sentence
def add_secret(client: str) -> None:
    """Make a second secret for CLIENT (cli_...), to be used before the first one is ended; it is shown once."""
    _show(credentials.add_secret(client, actor=BY, now=clock.now()))


@providers.command("end-secret")
@click.argument("client")
@click.argument("secret")
@one_sentence
def end_secret(client: str, secret: str) -> None:
    """End a SECRET (sec_...) of CLIENT and every token that was given for it, at once."""
    credentials.end_secret(client, secret, actor=BY, now=clock.now())
    click.echo("The secret and its tokens have ended.")


@providers.command("end-client")
@click.argument("client")
@one_sentence
def end_client(client: str) -> None:
    """End CLIENT with its secrets and tokens, at once and for good."""
    credentials.end_client(client, actor=BY, now=clock.now())
    click.echo("The client has ended.")


def _show(made: Credentials) -> None:
    click.echo(f"client id      {made.client_id}\nsecret {made.secret_id}\nclient secret  {made.secret}")
    click.echo("The secret is shown this once; only its hash is stored.", err=True)
