"""A picture is the one that was announced, and the roster has only doctors that can be told from each other."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from providers.adapters.open.lines import MOST_CLINICIANS
from providers.conversing import Picture
from providers.port import ComeBackLater, NotAuthorised, Oversize, ProviderError
from providers.reported import RemoteClinician, RemoteMessage
from tests.providers.open.answering import Hospital
from tests.providers.open.said import OURS, THEIRS, clinician

JPEG, PNG = b"\xff\xd8\xff\xe0 some", b"\x89PNG\r\n\x1a\n some"


def announced(content: bytes, name: str = "p 1/2") -> RemoteMessage:
    """The line of a picture."""
    sha256 = hashlib.sha256(content).hexdigest()
    now = datetime(2026, 3, 5, tzinfo=UTC)
    return RemoteMessage("line-1", THEIRS, OURS, 1, "picture", "D7", now, picture=f"{sha256}:{name}")


@pytest.mark.parametrize(("content", "kind"), [(JPEG, "image/jpeg"), (PNG, "image/png")])
def test_a_picture_is_fetched_by_its_id_and_known_by_its_hash(hospital: Hospital, content: bytes, kind: str) -> None:
    hospital.says(200, content, kind)
    found = hospital.adapter().fetch_picture(announced(content))
    assert found == Picture(content, kind, hashlib.sha256(content).hexdigest())  # type: ignore[arg-type]
    assert hospital.asked[0].path == f"/consultations/{quote(THEIRS, safe='')}/pictures/{quote('p 1/2', safe='')}"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<html><script>alert(1)</script></html>", "text/html"),
        (b"<html><script>alert(1)</script></html>", "image/png"),
        (b"<svg onload='alert(1)'/>", "image/svg+xml"),
        (JPEG, "image/png"),
        (PNG, "image/jpeg"),
        (JPEG, "application/octet-stream"),
        (b"", "image/png"),
    ],
)
def test_what_is_no_picture_of_its_type_is_refused(hospital: Hospital, content: bytes, kind: str) -> None:
    hospital.says(200, content, kind)
    with pytest.raises(ProviderError, match="no picture"):
        hospital.adapter().fetch_picture(announced(content))


def test_another_picture_than_the_one_announced_is_refused(hospital: Hospital) -> None:
    hospital.says(200, JPEG + b"!", "image/jpeg")
    with pytest.raises(ProviderError, match="not the one announced"):
        hospital.adapter().fetch_picture(announced(JPEG))


def test_a_picture_of_more_than_five_mebibytes_is_not_read(hospital: Hospital) -> None:
    content = JPEG + bytes(5 * 1024 * 1024)
    hospital.says(200, content, "image/jpeg")
    with pytest.raises(Oversize):
        hospital.adapter().fetch_picture(announced(content))


def test_a_picture_elsewhere_is_not_fetched(hospital: Hospital) -> None:
    hospital.says(302, JPEG, "image/jpeg", Location=f"{hospital.url}/other")
    with pytest.raises(ProviderError):
        hospital.adapter().fetch_picture(announced(JPEG))
    assert len(hospital.asked) == 1


@pytest.mark.parametrize("picture", ["", "p1", ":p1", "ab" * 32, f"{'ab' * 32}:", f"{'zz' * 32}:p1"])
def test_a_line_without_a_picture_has_none_to_fetch(hospital: Hospital, picture: str) -> None:
    with pytest.raises(ProviderError, match="without a picture"):
        hospital.adapter().fetch_picture(replace(announced(JPEG), picture=picture))
    assert not hospital.asked


def test_the_roster_says_who_may_answer(hospital: Hospital) -> None:
    hospital.says(200, {"clinicians": [clinician(), clinician("D8", name="周明")]})
    assert hospital.adapter().clinicians() == [
        RemoteClinician("D7", "林晚晴", "主治医师", "Attending physician", "110101199003071"),
        RemoteClinician("D8", "周明", "主治医师", "Attending physician", "110101199003071"),
    ]
    assert hospital.asked[0].path == "/clinicians"


@pytest.mark.parametrize(
    "changes",
    [
        {"licence": "11010119900307"},
        {"licence": "1101011990030712"},
        {"licence": "11010119900307X"},
        {"licence": "１１０１０１１９９００３０７１"},
        {"licence": 110101199003071},
        {"name": " "},
        {"name": "x" * 61},
        {"name": "林\0"},
        {"title_zh": ""},
        {"title_en": None},
        {"code": "x" * 65},
        {"code": ""},
    ],
)
def test_who_breaks_the_contract_is_not_on_it_and_stops_no_other(hospital: Hospital, changes: dict[str, Any]) -> None:
    hospital.says(200, {"clinicians": [{**clinician(), **changes}, None, clinician("D8")]})
    assert [each.code for each in hospital.adapter().clinicians()] == ["D8"]


def test_a_code_that_stands_for_two_doctors_stands_for_none(hospital: Hospital) -> None:
    two = [clinician(), clinician(licence="310101198005062"), clinician("D8"), clinician("D8")]
    hospital.says(200, {"clinicians": two})
    assert [each.code for each in hospital.adapter().clinicians()] == ["D8"]


@pytest.mark.parametrize("body", [b"<html>", {}, {"clinicians": None}, {"clinicians": {"D7": clinician()}}])
def test_what_is_no_roster_is_an_error(hospital: Hospital, body: Any) -> None:
    hospital.says(200, body)
    with pytest.raises(ProviderError):
        hospital.adapter().clinicians()


def test_a_roster_without_end_is_an_error(hospital: Hospital) -> None:
    hospital.says(200, {"clinicians": [clinician(f"D{number}") for number in range(MOST_CLINICIANS + 1)]})
    with pytest.raises(ProviderError):
        hospital.adapter().clinicians()


def test_a_roster_that_is_not_given_is_an_error_that_says_why(hospital: Hospital) -> None:
    for status, error in ((401, NotAuthorised), (404, ProviderError), (500, ProviderError)):
        hospital.says(status, {"clinicians": []})
        with pytest.raises(error):
            hospital.adapter().clinicians()
    hospital.says(503, Retry_After="4")
    with pytest.raises(ComeBackLater):
        hospital.adapter().clinicians()
