"""Commands for webhooks to providers: `flask --app wsgi webhooks COMMAND`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from booking.calls.connections import provider_id_of
from booking.webhooks import endpoints, events
from booking.webhooks.endpoints import By, Choice, Endpoint
from marketplace.core import clock
from marketplace.one_sentence import one_sentence

BY = By("operator", "command")
"""Who does it: whoever may run commands on this machine."""

webhooks = AppGroup("webhooks", help="Webhooks to providers.")


@webhooks.command("list")
@click.argument("provider")
@one_sentence
def list_endpoints(provider: str) -> None:
    """List the endpoints of PROVIDER (its code)."""
    for endpoint in endpoints.listed(provider_id_of(provider)):
        failing = f"  failing since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC" if endpoint.failing_since else ""
        state = endpoint.state + (f" ({endpoint.reason})" if endpoint.reason else "")
        click.echo(f"{endpoint.id}  {state}  {endpoint.url}  {' '.join(endpoint.event_types)}{failing}")
        for secret in endpoint.secrets:
            click.echo(f"  {secret.id}  made {secret.created_at:%Y-%m-%d}")


@webhooks.command("add")
@click.argument("provider")
@click.argument("url")
@click.option("--type", "types", type=click.Choice(events.TYPES), multiple=True, help="All of them without this.")
@one_sentence
def add_endpoint(provider: str, url: str, types: tuple[str, ...]) -> None:
    """Tell PROVIDER at URL of what happens from now on; the secret is shown once."""
    _show(endpoints.add(provider_id_of(provider), url, types or events.TYPES, by=BY, now=clock.now()))


@webhooks.command("pause")
@click.argument("provider")
@click.argument("endpoint")
@one_sentence
def pause(provider: str, endpoint: str) -> None:
    """Send nothing to ENDPOINT (whe_...) of PROVIDER until it resumes."""
    _set(provider, endpoint, "paused")


@webhooks.command("resume")
@click.argument("provider")
@click.argument("endpoint")
@one_sentence
def resume(provider: str, endpoint: str) -> None:
    """Let ENDPOINT of PROVIDER go on, with what happened meanwhile."""
    _set(provider, endpoint, "active")


@webhooks.command("add-secret")
@click.argument("provider")
@click.argument("endpoint")
@one_sentence
def add_secret(provider: str, endpoint: str) -> None:
    """Make a second secret for ENDPOINT; it is shown once."""
    _show(endpoints.add_secret(provider_id_of(provider), endpoint, by=BY, now=clock.now()))


@webhooks.command("end-secret")
@click.argument("provider")
@click.argument("endpoint")
@click.argument("secret")
@one_sentence
def end_secret(provider: str, endpoint: str, secret: str) -> None:
    """End a SECRET (whs_...) of ENDPOINT."""
    endpoints.end_secret(provider_id_of(provider), endpoint, secret, by=BY, now=clock.now())
    click.echo("The secret has ended.")


@webhooks.command("delete")
@click.argument("provider")
@click.argument("endpoint")
@one_sentence
def delete(provider: str, endpoint: str) -> None:
    """Delete ENDPOINT of PROVIDER with its secrets, for good."""
    endpoints.delete(provider_id_of(provider), endpoint, by=BY, now=clock.now())
    click.echo("The endpoint is deleted.")


def _set(provider: str, endpoint_id: str, state: Choice) -> None:
    provider_id = provider_id_of(provider)
    now = endpoints.one(provider_id, endpoint_id)
    endpoints.change(provider_id, endpoint_id, now.url, now.event_types, state, by=BY, now=clock.now())
    click.echo(f"The endpoint is {state}.")


def _show(made: Endpoint) -> None:
    click.echo(f"endpoint {made.id}\nsecret   {made.secret}")
    click.echo("The secret is shown this once.", err=True)
