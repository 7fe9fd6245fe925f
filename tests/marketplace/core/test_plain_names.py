"""Names hold no address that a mail program would turn into a link."""

from __future__ import annotations

import pytest

from marketplace.core.errors import Invalid
from marketplace.core.plain_names import plain_name

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    "name",
    [
        "启航体检",
        "St. Mary's Hospital",
        "Qihang Co.,Ltd.",
        "Qihang Co.Ltd",
        "A.B.C. Clinic",
        "O'Neill & Söhne e.V.",
        "Clinic No.1 (North/South)",
        "Dr. Wang: Dental",
    ],
)
def test_names_of_organisations_are_taken(name: str) -> None:
    assert plain_name(f"  {name} ", field="name_en", longest=200) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Your account is locked. Open https://evil.example", "link"),
        ("Open www.evil", "link"),
        ("Open ｗｗｗ．evil", "link"),
        ("open evil.example/unlock", "link"),
        ("open evil.com now", "link"),
        ("打开evil。com", "link"),
        ("write to a@b", "link"),
        ("打开evil.cn解锁", "link"),
        ("Two\nlines", "bad_characters"),
        ("Two\u2028lines", "bad_characters"),
        ("turned\u202eround", "bad_characters"),
        ("bell\x07", "bad_characters"),
        (" ", "required"),
        ("x" * 201, "too_long"),
    ],
)
def test_what_is_no_name_is_refused_with_its_reason(name: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        plain_name(name, field="name_en", longest=200)
    assert (refused.value.at, refused.value.facts["reason"]) == ("name_en", reason)
