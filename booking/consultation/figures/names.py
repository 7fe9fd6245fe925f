"""What the codes in figures are called."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from booking.consultation.figures.scope import Whose
from marketplace.catalog.kinds.online_consultation import KIND
from marketplace.catalog.models import Offer, Provider
from marketplace.core.database.db import reading
from marketplace.core.text import Text


def providers(whose: Whose) -> Mapping[str, Text]:
    """The live providers that offer or offered consultations, by code; of a provider's own figures it alone."""
    offers = select(Offer.id).where(Offer.provider_id == Provider.id, Offer.kind == KIND.code)
    mine = Provider.id == whose.provider_id if whose.insurer_id is None else Provider.twin_of.is_(None)
    query = select(Provider).where(mine, offers.exists()).order_by(Provider.code)
    with reading() as session:
        return {each.code: Text(each.name_zh, each.name_en) for each in session.scalars(query)}
