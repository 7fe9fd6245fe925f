"""The desk's reports: what is owed, delivering one, how typed results are read."""

from __future__ import annotations

from datetime import date, timedelta

from booking.answering.day import OwedReport
from booking.answering.shown import Comer, ShownBooking, WithPerson
from booking.reports.deliver import StoredReport, StoredVersion
from booking.reports.reading.read import read
from booking.reports.reading.told import Delivered, Whose
from booking.reports.typed import LONGEST, typed_results
from marketplace.core.text import Text
from marketplace.web.desk.results import delivering_page
from marketplace.web.parts import Form
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import NOW, ZONE, Context, at, zh_en

SELECT = Text("甄选套餐", "Select package")
RESULTS = "白细胞\t12.1\t10^9/L\t3.5-9.5\t↑\n血糖\t5.1\tmmol/L\t3.9-6.1\n心电图\t窦性心律"


def owed(none: bool = False) -> Context:
    """The list, with one that is late and one that came in part."""

    def one(number: int, person: str, days: int, partial: bool = False) -> OwedReport:
        due = NOW + timedelta(days=days)
        return OwedReport(
            f"b{number}", f"AX7K2M91{number}Q", person, SELECT, date(2026, 11, 18), ZONE, due, days < 0, partial
        )

    rows = () if none else (one(1, "陈**", -1), one(2, "J***", 1), one(3, "吴*", 3, partial=True))
    more = "" if none else "/gallery/desk_reports?cursor=x"
    return desk_page("reports", "clinician", rows=tuple(map(delivering_page.owed, rows)), more_url=more)


def _booking(status: str) -> ShownBooking:
    return ShownBooking(
        id="b1", reference="AX7K2M911Q", version=4, kind="health_check", status=status, cause="",  # type: ignore[arg-type]
        offer="select", pool="hall",
        slot="s1", service_date=date(2026, 11, 18), starts_at=at(11, 18, 8), ends_at=at(11, 18, 9), time_zone=ZONE,
        answer_due_at=None, person_name="陈**", change=None, cancel_asked=False, proposal=None, differences=(),
        created_at=at(11, 10, 9), updated_at=at(11, 18, 9),
    )  # fmt: skip


def deliver(looked: bool = False, wrong: bool = False, came: bool = True) -> Context:
    """The form; after a look at the results, refused, or before anybody came. One report stands in two versions."""
    since = at(11, 20, 9)
    stored = (
        StoredReport(
            "r1",
            "corrected",
            (
                StoredVersion(2, "corrected", since, since, 12, "current"),
                StoredVersion(1, "final", since, since, 12, "superseded"),
            ),
        ),
        StoredReport("r2", "deleted", (StoredVersion(1, "partial", since, since, 3, "deleted"),)),
        StoredReport("r3", "expected", ()),
    )
    whose = Whose("female", date(1980, 5, 1), date(2026, 11, 18))
    readings = tuple(
        delivering_page.reading(
            read(Delivered(**{name: getattr(it, name) for name in Delivered.__dataclass_fields__}), whose, {})
        )
        for it in typed_results(RESULTS)
    )
    errors = {
        "document": zh_en("文件最大 5 MiB。", "The file may have at most 5 MiB."),
        "results": zh_en("第 2 行缺少项目或结果。", "Line 2 lacks what was examined, or its value."),
    }
    values = {"report": "r1@2", "status": "corrected", "results": RESULTS if looked or wrong else "", "key": "k"}
    return desk_page(
        "reports",
        "clinician",
        page=delivering_page.page(
            WithPerson(_booking("fulfilled"), Comer(zh_en("陈美兰", "Chen Meilan"), "female", date(1980, 5, 1)))
            if came
            else WithPerson(_booking("confirmed"), None),
            zh_en(*SELECT),
            stored if came else (),
        ),
        form=Form(values, errors if wrong else {}, zh_en("忙，请稍后再试。", "Busy; try again.") if wrong else ""),
        longest=LONGEST,
        longest_conclusion=50_000,
        largest=5_242_880,
        file_gone=looked,
        readings=readings if looked else (),
        looked=looked,
    )
