"""What commands print of API clients and their secrets."""

from __future__ import annotations

import click

from marketplace.clients.credentials import Credentials
from marketplace.clients.listing import Client


def show(made: Credentials) -> None:
    """Show a new secret, this once."""
    click.echo(f"client id      {made.client_id}\nsecret {made.secret_id}\nclient secret  {made.secret}")
    click.echo("The secret is shown this once; only its hash is stored.", err=True)


def show_clients(clients: list[Client]) -> None:
    """List clients with their secrets."""
    for client in clients:
        click.echo(f"{client.id}  {client.name}  {' '.join(client.scopes)}{'  ended' if client.ended else ''}")
        for secret in client.secrets:
            used = f"{secret.last_token:%Y-%m-%d %H:%M} UTC" if secret.last_token else "never"
            click.echo(f"  {secret.id}  made {secret.made:%Y-%m-%d}  last token {used}")
