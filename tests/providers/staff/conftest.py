"""What tests of a provider's people begin with."""

from __future__ import annotations

import pytest

from marketplace.core.sending import email
from tests.desk import make_member, member
from tests.providers.staff.invitations import Letters
from tests.world import make_offer
from vip.principal import Member


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
def fang(monkeypatch: pytest.MonkeyPatch) -> Member:
    """A manager of a provider, where there is e-mail."""
    monkeypatch.setattr(email, "backend", lambda: object())
    provider, _offer, _slots = make_offer()
    return member(make_member(provider.code, login="fang"))
