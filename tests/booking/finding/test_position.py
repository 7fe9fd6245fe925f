"""A position is read from a header, rounded, and anything else is refused."""

from __future__ import annotations

import pytest

from booking.finding.position import HEADER, read_position
from marketplace.core.errors import Invalid
from marketplace.core.sphere import Position


def test_a_position_is_rounded_to_three_decimals() -> None:
    assert read_position("30.24649999,120.2100001") == Position(30.246, 120.21)
    assert read_position(" -33.8 , -180 ") == Position(-33.8, -180.0)
    assert read_position("") is read_position("  ") is None


@pytest.mark.parametrize(
    "value", ["30", "30,", "north,east", "91,0", "0,181", "nan,0", "1e1,2", "٣٠,١٢٠", "1,2,3", "1" * 999]
)
def test_what_is_no_position_is_refused_by_the_name_of_its_header(value: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_position(value)
    assert refused.value.at == HEADER and value not in str(refused.value.facts)
