"""A file at the console, from the template to the refused lines that come back corrected."""

from __future__ import annotations

import io
import re
from typing import Any

from werkzeug.test import TestResponse

from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.vip.imports.policy_lines import file, line
from vip.imports.work import STORED_FOR, forget_contents, work_imports

LIST = "/operators/imports"


def upload(operator: Visitor, content: bytes, name: str = "policies.csv", **fields: Any) -> TestResponse:
    given = {"kind": "policies", "document": (io.BytesIO(content), name), **fields}
    hidden = operator.hidden(LIST)
    return operator.client.post(LIST, data={**hidden, **given}, headers={"Accept-Language": operator.language})


def say(operator: Visitor, page: str, act: str) -> TestResponse:
    return operator.post(page, page, act=act)


def work() -> None:
    work_imports(lambda: NOON, seconds=60)


def test_a_file_is_uploaded_looked_at_imported_and_its_errors_come_back(operator: Visitor) -> None:
    assert "Nothing was imported yet." in main(operator.get(LIST))
    template = operator.get(f"{LIST}/template/policies")
    assert template.content_type == "text/csv; charset=utf-8" and "Policy key" in template.text
    wrong = line(3, in_force_until="2026/2/30", insured_1_birth_date="")
    page = upload(operator, file(line(1), line(2), wrong, line(2))).headers["Location"]
    assert "The file is being read." in main(operator.get(page))
    work()
    shown = main(operator.get(page))
    for words in (
        "Waits for your word",
        "Nothing was imported yet",
        "Import 2 lines",
        "There is no such day",
        "2026/2/30",
        "Check month and day, such as 2026-02-28",
        "Required, but blank",
        "Insured 1: birth date",
        "The same as line 3",
        "Stop for good",
    ):
        assert words in shown, words
    assert "Paused. Nothing more" not in shown and line(3)["holder_phone"] not in shown
    assert "Insured 1: birth date" not in main(operator.get(f"{page}?reason=doubled"))
    assert say(operator, page, "start").status_code == 303
    live = operator.get(f"{page}/live")
    assert "Importing" in live.text and "data-final" not in live.text
    unchanged = operator.get(f"{page}/live", headers={"If-None-Match": live.headers["ETag"]})
    assert unchanged.status_code == 304
    work()
    assert "2 lines to correct" in main(operator.get(page)) and "data-final" in operator.get(f"{page}/live").text
    refused = operator.get(f"{page}/refused")
    assert "attachment" in refused.headers["Content-Disposition"] and "2026/2/30" in refused.text
    corrected = refused.text.replace("2026/2/30", "2026-02-28").replace("86-2026-000002", "86-2026-000009")
    again = upload(operator, corrected.replace("P-2,", "P-9,").encode()).headers["Location"]
    work()
    shown = main(operator.get(again))
    assert "Import 1 line" in shown and "was uploaded before" not in shown and "not known" not in shown
    operator.language = "zh"
    shown = main(operator.get(page))
    assert "2 行待改" in shown and "日历上没有这一天" in shown and "被保险人1出生日期" in shown


def test_a_file_that_is_no_table_is_refused_with_what_to_do(operator: Visitor) -> None:
    answer = upload(operator, b"")
    assert answer.status_code == 422
    assert "The file is empty. Choose a file with something in it." in main(answer)
    page = upload(operator, b"%PDF-1.4").headers["Location"]
    work()
    assert "Neither CSV nor XLSX" in main(operator.get(page)) and "Upload another file" in main(operator.get(page))
    assert upload(operator, b"key\n", kind="nothing").status_code == 404


def test_what_is_said_too_late_is_refused_and_the_page_stays(operator: Visitor) -> None:
    page = upload(operator, file(line(1))).headers["Location"]
    answer = say(operator, page, "pause")
    assert answer.status_code == 409 and "Somebody else was faster" in main(answer)
    assert say(operator, page, "fly").status_code == 422
    work()
    assert say(operator, page, "stop").status_code == 303
    assert "Stopped" in main(operator.get(page)) and not re.search(r'name="act"', operator.get(page).text)
    forget_contents(now=NOON + 2 * STORED_FOR)
    shown = main(operator.get(page))
    assert "The contents of this file were destroyed" in shown and "policies.csv" not in shown
    assert "Stopped" in main(operator.get(LIST))
    assert operator.get(f"{page}/refused").status_code == 404
    assert operator.get(f"{LIST}?after=x").status_code == 422
