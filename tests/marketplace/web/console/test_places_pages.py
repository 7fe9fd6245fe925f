"""The console's pages of entries that may mean one hospital."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from marketplace.catalog.models import Site
from marketplace.core.database.db import reading
from tests.marketplace.web.visitors import Visitor, main
from tests.sites import load_sites, make_offer, row

LIST = "/operators/places"


@pytest.fixture
def listed(db: Engine, tmp_path: Path) -> dict[str, str]:
    """Sites by name, with their public ids."""
    rows = [row("安康医院", address="文溪路8号"), row("北京安康医院"), row("文溪医院", kind="口腔医院")]
    load_sites(tmp_path, rows)
    make_offer("北京安康医院")
    with reading() as session:
        return {site.name: site.public_id for site in session.scalars(select(Site))}


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, name
    return found[1]


def test_a_pair_is_merged_with_one_click_and_parted_with_another(operator: Visitor, listed: dict[str, str]) -> None:
    page = operator.get(LIST)
    told = main(page)
    assert "安康医院" in told and "The same name, written in another way" in told and "1 service is sold here" in told
    assert "体检" in told or "Check-up" in told
    keep, other = hidden(page.text, "keep"), hidden(page.text, "other")
    assert (keep, other) == (listed["安康医院"], listed["北京安康医院"]), "the one of which more is known is kept first"
    assert operator.post(LIST, LIST, act="merge", keep=keep, other=other).headers["Location"] == LIST
    assert "No pair waits for a decision." in main(operator.get(LIST))
    merged = operator.get(f"{LIST}?state=merged")
    assert "北京安康医院" in main(merged)
    place = operator.get(f"{LIST}/{other}")
    assert "北京安康医院 is part of this place." in main(place) and "1 service is sold here" in main(place)
    undo = {"act": "undo", "merge": hidden(merged.text, "merge")}
    sent = operator.post(f"{LIST}?state=merged", f"{LIST}?state=merged", **undo)
    assert sent.headers["Location"] == f"{LIST}?state=merged"
    assert "Nothing is merged." in main(operator.get(f"{LIST}?state=merged"))
    assert "安康医院" in main(operator.get(LIST)), "to be decided again"


def test_what_is_not_the_same_is_remembered_and_can_be_decided_again(operator: Visitor, listed: dict[str, str]) -> None:
    pair = hidden(operator.get(LIST).text, "pair")
    assert operator.post(LIST, LIST, act="apart", pair=pair).status_code == 303
    assert "No pair waits for a decision." in main(operator.get(LIST))
    apart = f"{LIST}?state=apart"
    assert "Not the same, it was said" in main(operator.get(apart))
    assert operator.post(apart, apart, act="again", pair=pair).status_code == 303
    assert "No pair is kept apart." in main(operator.get(apart))


def test_two_that_no_rule_brings_together_are_found_by_name_and_merged(
    operator: Visitor, listed: dict[str, str]
) -> None:
    assert "文溪医院" in main(operator.get(f"{LIST}?q=wenxi"))
    assert "No place has this name." in main(operator.get(f"{LIST}?q=没有这家"))
    place = f"{LIST}/{listed['安康医院']}"
    found = main(operator.get(f"{place}?q=文溪"))
    assert "文溪医院" in found and "No other place" in main(operator.get(f"{place}?q=没有这家"))
    assert operator.post(place, place, act="merge", other=listed["文溪医院"]).headers["Location"] == place
    assert "part of Ankang Hospital 安康医院 since" in main(operator.get(place))
    refused = operator.post(place, place, act="merge", other=listed["文溪医院"])
    assert refused.status_code == 409 and "one place already" in main(refused)


def test_the_page_of_a_place_offers_to_keep_either_of_a_pair(operator: Visitor, listed: dict[str, str]) -> None:
    place = f"{LIST}/{listed['北京安康医院']}"
    keep, other = (hidden(operator.get(place).text, name) for name in ("keep", "other"))
    assert (keep, other) == (listed["安康医院"], listed["北京安康医院"])
    assert operator.post(place, place, act="merge", keep=keep, other=other).headers["Location"] == place
    assert "北京安康医院 is part of this place." in main(operator.get(place))


def test_what_its_kind_cannot_do_is_allowed_at_the_page_of_the_place(operator: Visitor, listed: dict[str, str]) -> None:
    place = f"{LIST}/{listed['文溪医院']}"
    assert "A dental hospital looks at teeth only" in main(operator.get(place))
    assert operator.post(place, place, act="allow", benefit="health_check").status_code == 303
    assert "Allowed at this place." in main(operator.get(place)) and "Allow no more" in main(operator.get(place))
    assert operator.post(place, place, act="end", benefit="health_check").status_code == 303
    assert "Allow it here" in main(operator.get(place))


def test_what_is_not_there_or_makes_no_sense_is_refused(operator: Visitor, listed: dict[str, str]) -> None:
    assert operator.get(f"{LIST}/sit_0").status_code == 404
    for fields in ({"act": "merge", "keep": "x", "other": "y"}, {"act": "undo", "merge": "x"}, {"act": "apart"}):
        assert operator.post(LIST, LIST, **fields).status_code == 404, fields
    for fields in ({"act": "burn"}, {"act": "allow", "benefit": "health_check"}, {}):
        assert operator.post(LIST, LIST, **fields).status_code == 422, fields
    for wrong in ("cursor=x", "state=merged&cursor=x"):
        assert operator.get(f"{LIST}?{wrong}").status_code in (400, 422), wrong
