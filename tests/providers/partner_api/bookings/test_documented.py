"""The example answers of docs/partner/bookings.md are what is answered: the same members of the same kinds."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask

from marketplace.core.config import ROOT
from tests.providers.partner_api.answering import requested, say
from tests.providers.partner_api.partner import partner_of
from tests.world import World

pytestmark = pytest.mark.usefixtures("db")


def documented(heading: str) -> Any:
    """The JSON example of this part of the document."""
    text = (ROOT / "docs" / "partner" / "bookings.md").read_text(encoding="utf-8")
    part = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    [found] = re.findall(r"```json\n(.*?)```", part, re.DOTALL)
    return json.loads(found)


def shape(value: Any) -> Any:
    """Names and kinds, without the values."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def test_the_examples_are_what_is_answered(app: Flask, world: World) -> None:
    partner, public_id = partner_of(app, world.provider), requested(world)
    listed = partner.get("/bookings?status=requested").get_json()
    one = partner.get(f"/bookings/{public_id}").get_json()
    [event] = partner.get("/events").get_json()["items"]
    confirmed = say(partner, public_id, "confirm").get_json()
    assert shape(documented("The queue")) == shape(listed)
    assert shape(documented("One booking")) == shape(one)
    assert shape(documented("Answer")) == shape(confirmed)
    message = documented("What happened: events")
    assert set(message) == {"type", "timestamp", "data"}
    assert shape(message["data"]) == shape(event)
