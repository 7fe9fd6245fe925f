"""Commands for the keys that seal, index and sign: `flask --app wsgi keys COMMAND`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
from flask.cli import AppGroup

from booking.keys.count import PartCount, count, count_unmoved
from booking.keys.rewrap import BATCH, Progress, rewrap
from booking.keys.rotate import PURPOSES, Purpose, rotate
from booking.keys.unmoved import Left
from marketplace.core import clock
from marketplace.one_sentence import FOUND, one_sentence

keys = AppGroup("keys", help="The keys that seal, index and sign.")


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
