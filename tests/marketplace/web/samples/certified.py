"""What was tried of providers: a run that failed, one of before whose words are English, certificates of all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from booking.certifying.history import GivenLine, History, RunLine, RunPage
from booking.certifying.view import CertificateView, ConformanceRunView, ProviderCertificates
from marketplace.core.paging import Page
from marketplace.core.text import Text
from marketplace.web import certificate_history, certificate_words
from providers.conformance.clean import LEFT_BOOKING, ON_ITS_WAY
from providers.conformance.kit import CONFIRMED, NO_SUCH_MODE, REFUSED
from providers.conformance.step import Capability
from tests.marketplace.web.samples.everyday import at

Step = Mapping[str, Any]
NAME = Text("和馨体检", "Hexin Health")


def failed_step() -> Step:
    return {
        "name": "booking-sold-out", "proves": "booking", "says": "A full slot is refused as sold_out",
        "outcome": "failed", "expected": REFUSED(code="sold_out").stored(), "came": CONFIRMED().stored(),
        "transcript": [
            '> POST /bookings [idempotency-key=kit-0c1-key] {"our_reference": "kit-0c1", "slot": "P1@20261124T0730"}',
            '< 201 {"reference": "HEX261120AB", "our_reference": "kit-0c1", "status": "confirmed", "version": 1}',
        ],
    }  # fmt: skip


def _step(name: str, proves: str, outcome: str = "passed", came: object = "") -> Step:
    return {**failed_step(), "name": name, "proves": proves, "outcome": outcome, "came": came, "transcript": []}


def certified() -> tuple[certificate_words.CertifiedRow, ...]:
    since, until = at(11, 20, 9), at(12, 20, 9)
    step = failed_step()
    run = ConformanceRunView("done", "", since, since, since, (step, {**step, "outcome": "passed"}), ())
    proved = [CertificateView(each, False, since, None) for each in Capability]
    provisional = [CertificateView(each, True, since, until) for each in Capability]
    needed = (Capability.BOOKING, Capability.CHANGE)
    rows = (
        ProviderCertificates("hexin", NAME, False, False, False, proved, (), replace(run, steps=())),
        ProviderCertificates("mingde", Text("明德体检", "Mingde Check-ups"), False, False, False, provisional, (), run),
        ProviderCertificates("qinghe", Text("青禾体检", "Qinghe Check-ups"), False, False, False, (), needed, None),
        ProviderCertificates("anli", Text("安里诊所", "Anli Clinic"), True, False, False, (), (), None),
    )
    return tuple(map(certificate_words.provider, rows))


def program(test_mode: bool = True) -> certificate_words.CertifiedRow:
    """A provider whose program calls us, which was never tried; its test mode was opened or not."""
    lacks = (Capability.BOOKING,)
    name = Text("启航体检", "Qihang Check-ups")
    return certificate_words.provider(ProviderCertificates("qihang", name, False, True, test_mode, (), lacks, None))


def past(none: bool = False) -> certificate_history.HistoryPart:
    """Both lists, with older lines behind them; or none of either."""
    counts = {"passed": 21, "failed": 1, "not_tried": 1}
    runs = [
        _run("running", 23, "provider", "方敏"),
        replace(_run("done", 22, "provider", "方敏"), counts=counts, left=1),
        replace(_run("done", 20, "operator"), counts={"passed": 23}),
        replace(_run("failed", 19, "system"), reason="not_reached"),
    ]
    given = [
        GivenLine(Capability.BOOKING, False, at(11, 22, 9), None, None, "", "cfr_22"),
        GivenLine(Capability.SLOTS, False, at(11, 20, 9), None, at(11, 22, 9), "replaced", "cfr_20"),
        GivenLine(Capability.CHANGE, False, at(11, 20, 9), None, at(11, 22, 9), "failed", "cfr_20"),
        GivenLine(Capability.LISTS, True, at(11, 1, 9), at(12, 1, 9), None, "", None),
        GivenLine(Capability.REPORTS, True, at(10, 1, 9), at(10, 31, 9), at(10, 31, 9), "expired", None),
        GivenLine(Capability.WEBHOOKS, False, at(10, 1, 9), None, at(10, 3, 9), "settings", "cfr_1"),
    ]
    it = History("hexin", NAME, Page([] if none else runs, None if none else "x"), Page([] if none else given, None))
    return certificate_history.history(it, lambda run: f"/runs/{run}", lambda runs, given: f"?runs={runs}")


def run(state: str = "done", before: bool = False) -> certificate_history.RunDetail:
    """A run step by step; `before`: as the kit wrote it when it knew English alone."""
    failed = failed_step()
    if before:
        failed = {**failed, "expected": "refused (sold_out)", "came": "confirmed"}
    steps = (
        _step("slots-listed", "slots"),
        _step("booking-ten", "booking"),
        failed,
        _step(
            "reports-issued",
            "reports",
            "not_tried",
            "the provider has no test mode" if before else NO_SUCH_MODE().stored(),
        ),
    )
    done = state == "done"
    line = replace(_run(state, 22, "provider", "方敏"), counts={"passed": 2, "failed": 1, "not_tried": 1}, left=1)
    left = [LEFT_BOOKING(subject="kit-0c1", why=ON_ITS_WAY()).stored()]
    page = RunPage(line, steps if done else (), left if done else (), [Capability.SLOTS], [Capability.BOOKING])
    return certificate_history.detail(page if done else replace(page, given=[], ended=[]), lambda run: f"/runs/{run}")


def _run(state: str, day: int, kind: str, by: str = "") -> RunLine:
    over = None if state in ("queued", "running") else at(11, day, 9, 4)
    return RunLine(f"cfr_{day}", state, "", at(11, day, 9), over, kind, by, {}, 0)
