"""No provider has a code that an address of the console has where codes stand: its page could not be reached."""

from __future__ import annotations

import pytest

from marketplace.catalog.new_provider import RESERVED, CodeTaken, add_provider
from marketplace.web.urls import OPERATOR_PAGES
from tests.people import NOON

PROVIDERS = "/operators/providers/"


def test_every_word_of_an_address_is_reserved() -> None:
    steps = {
        page.rule.removeprefix(PROVIDERS).split("/")[0] for page in OPERATOR_PAGES if page.rule.startswith(PROVIDERS)
    }
    assert {step for step in steps if not step.startswith("<")} == RESERVED


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("code", sorted(RESERVED))
def test_no_provider_is_called_so(code: str) -> None:
    with pytest.raises(CodeTaken):
        add_provider(code, "甲", "A", adapter="desk", time_zone="UTC", actor="test", now=NOON)
