"""The customer's copy by the API."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

from booking.personal.export import make_copies
from marketplace.core import clock
from tests.marketplace.api.caller import Caller
from tests.people import NOON


def test_a_copy_is_asked_for_and_fetched(caller: Caller) -> None:
    asked = caller.post("/me/copies")
    assert (asked.status_code, asked.json["state"], asked.json["size"]) == (202, "asked", 0)
    assert caller.post("/me/copies").json == asked.json
    make_copies(now=NOON)
    [ready] = caller.get("/me/copies").json["items"]
    assert (ready["id"], ready["state"]) == (asked.json["id"], "ready")
    answer = caller.get(f"/me/copies/{ready['id']}/file")
    assert (answer.content_type, len(answer.data)) == ("application/zip", ready["size"])
    assert "customer.json" in zipfile.ZipFile(io.BytesIO(answer.data)).namelist()


def test_an_old_session_is_told_to_sign_in_again(caller: Caller) -> None:
    asked = caller.post("/me/copies")
    make_copies(now=NOON)
    with clock.frozen(NOON + timedelta(minutes=16)):
        answer = caller.get(f"/me/copies/{asked.json['id']}/file")
    assert (answer.status_code, answer.json["code"]) == (403, "sign_in_again")
