"""Demonstration data, in development only: `python -m marketplace.demo COMMAND`."""

from __future__ import annotations

import csv
import os
import sys

import click
from flask.cli import FlaskGroup

from marketplace.app import create_app
from marketplace.cli import import_file
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.demo.clinic import load_clinic
from marketplace.demo.consultations import load_consultations
from marketplace.demo.coverage import load_coverage
from marketplace.demo.desk import PASSWORD, load_desk
from marketplace.demo.doctors import load_doctors
from marketplace.demo.escort_bookings import load_escort_bookings
from marketplace.demo.escort_workers import load_escort_workers
from marketplace.demo.escorts import load_escorts
from marketplace.demo.hospital import load_hospital
from marketplace.demo.offers import SAMPLE_SITES, place_offers
from marketplace.demo.outside_escorts import load_outside_escorts, load_outside_visits
from marketplace.demo.past import load_past
from marketplace.demo.people import load_people, make_customers
from marketplace.demo.policies import load_policies
from marketplace.one_sentence import one_sentence

SANDBOX_URL = "http://127.0.0.1:8010"
DAY_SANDBOX_URL = "http://127.0.0.1:8011"
DEMO_STEPS = {"check_in": 180.0, "start": 60.0, "fulfil": 60.0}
"""Seconds after which the demonstration's providers take each step by themselves, on the booking's day, so that the
report of a booking for today is seen soon."""


demo = FlaskGroup(create_app=create_app, add_default_commands=False, help="Demonstration data, in development only.")


@demo.command("load")
@one_sentence
def load() -> None:
    """Load the demonstration's customers, policies, sites, offers and past reports as far as they are missing; prints
    who can sign in.

    Sites come from HOSPITALS_CSV, else from the invented sample.
    """
    people = load_people(clock.now())
    load_policies(clock.now())
    hospitals = os.environ.get("HOSPITALS_CSV")
    import_file(hospitals or SAMPLE_SITES, good_rows=hospitals is not None, errors=None)
    place_offers(
        sandbox_url=os.environ.get("ANXIANG_SANDBOX_URL") or SANDBOX_URL,
        day_sandbox_url=os.environ.get("ANXIANG_DAY_SANDBOX_URL") or DAY_SANDBOX_URL,
        webhooks_url=f"{settings().public_url}/partner/v1/webhooks",
        now=clock.now(),
        auto=DEMO_STEPS,
    )
    load_past(clock.now())
    click.echo("Sign in with one of these phones; the code is printed in the log:")
    for person in people:
        click.echo(f"  {person.phone}  {person.name}  {person.tier_name_zh} ({person.tier_name_en})")
    click.echo(f"At the provider desk (/desk) with the password {PASSWORD}:")
    now = clock.now()
    for member in (*load_desk(now), *load_escorts(now), *load_escort_workers(now)):
        click.echo(f"  {member.login}  {member.name}  {member.role_zh} ({member.role_en})")
    load_clinic(clock.now())
    load_consultations(clock.now())
    load_doctors(clock.now())
    load_hospital(clock.now())
    load_outside_escorts(clock.now())
    load_coverage(clock.now())
    load_escort_bookings(clock.now())
    load_outside_visits(clock.now())


@demo.command("customers")
@click.argument("n", type=int)
@click.option("--benefit", default="health_check", show_default=True)
@click.option("--quantity", type=int, default=None, help="Uses for each; unlimited if left out.")
@one_sentence
def customers(n: int, benefit: str, quantity: int | None) -> None:
    """Make N more customers; prints CSV: phone,customer_id,token."""
    made = make_customers(n, benefit, quantity, clock.now())
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("phone", "customer_id", "token"))
    out.writerows((one.phone, one.customer_public_id, one.token) for one in made)
