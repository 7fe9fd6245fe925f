"""What customers are told about reports."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.catalog.benefit_kind import Message
from marketplace.core.text import Text

WORDS: Mapping[str, Message] = {
    "report_ready": Message(
        Text("报告到了", "The report is here"),
        Text("{what}，{where}。可以在报告里查看了。", "{what}, {where}. You find it among your reports."),
    ),
    "report_partial": Message(
        Text("部分结果到了", "A part of the report is here"),
        Text("{what}，{where}。其余结果随后送到。", "{what}, {where}. The rest follows."),
    ),
    "report_corrected": Message(
        Text("报告有更正", "The report was corrected"),
        Text("{what}，{where}。新旧两版都在报告里。", "{what}, {where}. Both versions are in your report box."),
    ),
    "report_critical": Message(
        Text("报告里有需要马上处理的结果", "A result needs you to act now"),
        Text(
            "{what}，{where}。{place}标为危急，请现在就看报告并联系医生；如有不适请拨打 120。",
            "{what}, {where}. {Place} marked it critical. Open the report and call a doctor now; if you feel unwell, "
            "dial 120.",
        ),
    ),
    "report_unreadable": Message(
        Text("报告暂时读不出来", "We can't read the report yet"),
        Text(
            "{what}，{where}。报告已出，但文件取不到或打不开，我们已请{place}重新提供。您也可以直接向{place}索取。",
            "{what}, {where}. It exists, but its file can't be fetched or opened; we have asked {place} for a sound "
            "one. You can also ask {place} for it yourself.",
        ),
    ),
    "report_overdue": Message(
        Text("报告晚了", "The report is late"),
        Text("{what}，{where}。我们已在催{place}。", "{what}, {where}. We are pressing {place} for it."),
    ),
    "report_shared": Message(
        Text("报告已分享", "The report was shared"),
        Text("{what}，{where}。您可以随时收回分享链接。", "{what}, {where}. You can take the link back at any time."),
    ),
}
