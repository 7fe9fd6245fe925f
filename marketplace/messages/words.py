"""The words of what customers are told: for each kind of notice a title and a sentence, in Chinese and English.

They are used inside a request and outside of one (the worker writes SMS and e-mail in the customer's own language), so
they are plain texts rather than entries of the pages' catalogue. No sentence holds more than the appointment: its
date, place and the package's name. The kind of benefit brings its nouns, and its own words where it has any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location

from marketplace.catalog.benefit_kind import Message, Words
from marketplace.catalog.english.sites import english_site
from marketplace.catalog.kinds import kinds, words_of
from marketplace.core.clock import HOME_ZONE
from marketplace.core.text import Language, Text, masked_name

_LOCALE = Text("zh_Hans_CN", "en")
_DAY = Text("M 月 d 日 EEE", "EEE d MMMM")
_DAY_WITH_YEAR = Text("y 年 M 月 d 日 EEE", "EEE d MMMM y")


@dataclass(frozen=True)
class Said:
    """What a notice says: a title of a few words and one or two sentences (blank where the title says all)."""

    title: str
    text: str


# Places of facts: {what} the package, {where} the site, {when} day and time at the site, {new} the day and time that is
# proposed, {until} a moment, {left} a number of days in words, {reason} a sentence of its own or nothing,
# {since} from when on something can be booked, {asked_first} that it is asked for first or nothing,
# {within} how long it was promised to take, {given} what a broken promise gave, {waits} how it goes on,
# {who} the name of who comes, {trade} what she is in a sentence or nothing, {other_times} the nearest ones or nothing,
# {place} and {Place} who answers, {bring} what to bring, both in the words of the kind of benefit.
WORDS: Mapping[str, Message] = {
    "held": Message(
        Text("时间已为您保留", "A time is held for you"),
        Text(
            "{when}，{where}。请在 {until} 前确认，过时自动释放。",
            "{when}, {where}. Confirm by {until}, or it is released by itself.",
        ),
    ),
    "confirmed": Message(
        Text("预约已确认", "Your booking is confirmed"),
        Text("{what}，{when}，{where}。{bring}", "{what}, {when}, {where}. {bring}"),
    ),
    "rejected": Message(
        Text("{place}无法接受这次预约", "{Place} can't take this booking"),
        Text(
            "{what}，{when}，{where}。权益已全部退回，可以另选时间。{instead}",
            "{what}, {when}, {where}. Your benefit is back in full; choose another time. {instead}",
        ),
    ),
    "changed": Message(
        Text("预约已改期", "Your booking has moved"), Text("现在是 {when}，{where}。", "It is now {when}, {where}.")
    ),
    "change_stands": Message(
        Text("改期没能撤回", "Your change could not be taken back"),
        Text(
            "{place}已按您申请的新时间安排，不能改回原来的时间。现在是 {when}，{where}。您仍可再次改期或取消。",
            "{Place} has you at the new time and can't move you back. Your booking is now {when}, {where}. "
            "You can still change or cancel it.",
        ),
    ),
    "change_refused": Message(
        Text("改期未成功", "The change was not possible"),
        Text("原来的时间不变：{when}，{where}。{instead}", "The date is unchanged: {when}, {where}. {instead}"),
    ),
    "cancel_refused": Message(
        Text("{place}不同意取消", "{Place} did not agree to cancel"),
        Text("预约仍然有效：{when}，{where}。{instead}", "The booking stays: {when}, {where}. {instead}"),
    ),
    "time_proposed": Message(
        Text("{place}建议另一个时间", "{Place} proposes another time"),
        Text("建议改到 {new}；您同意之前，{when} 保持不变。", "It proposes {new}. Until you agree, {when} stays."),
    ),
    "cancelled": Message(
        Text("预约已取消", "Your booking is cancelled"),
        Text("{what}，{when}，{where}。{reason}{instead}", "{what}, {when}, {where}. {reason} {instead}"),
    ),
    "outcome_unknown": Message(
        Text("正在与{place}核实", "We are checking with {place}"),
        Text(
            "{when}，{where}。{place}系统还没有回复，您的时间和权益都保留着，请不要重复预约。",
            "{when}, {where}. Its system is silent so far. Your time and your benefit are reserved: don't book again.",
        ),
    ),
    "command_waiting": Message(
        Text("还没有送达{place}", "Not with {place} yet"),
        Text(
            "{what}，{when}，{where}。{place}系统暂时收不到您的请求，我们会一直重试，有结果就通知您，您不用再操作。",
            "{what}, {when}, {where}. Its system can't take your request for now. We go on trying and tell you how it "
            "ends: there is nothing for you to do.",
        ),
    ),
    "provider_differs": Message(
        Text("{place}的记录与您的预约不一致", "{Place} has your booking differently"),
        Text(
            "您约的是{what}，{when}，{where}。{differs}我们正在与{place}核实，有结果就通知您，出发前请先看这里。",
            "You booked {what}, {when}, {where}. {differs} We are checking with {place} and tell you the outcome: "
            "please look here before you set out.",
        ),
    ),
    "reminder": Message(
        Text("明天有预约", "A booking tomorrow"),
        Text("{what}，{when}，{where}。{prepare}", "{what}, {when}, {where}. {prepare}"),
    ),
    "no_show": Message(
        Text("{place}登记为未到", "{Place} says nobody came"),
        Text(
            "{what}，{when}，{where}。如有误，请在预约页面告诉我们。",
            "{what}, {when}, {where}. If that is wrong, tell us on the booking's page.",
        ),
    ),
    "escort_over": Message(
        Text("{what}结束了，一切顺利吗？", "{what} is over: did it go well?"),
        Text(
            "{when}，{where}。请在 {until} 前到预约页面告诉我们；没有异议就视为顺利完成。",
            "{when}, {where}. Tell us on the booking's page by {until}; if you say nothing, it counts as done.",
        ),
    ),
    "dispute_answered": Message(
        Text("您的申诉有了答复", "There is an answer to your objection"),
        Text("{what}，{when}，{where}。{verdict}", "{what}, {when}, {where}. {verdict}"),
    ),
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
    "entitlement_expiring": Message(
        Text("权益即将到期", "A benefit is about to end"),
        Text("{benefit}：{until_day} 到期，还剩 {left}。", "{benefit}: it ends on {until_day}: {left} left."),
    ),
    "waitlist_offer": Message(
        Text("候补有位了", "A place has come free"),
        Text("{when}，{where}。为您保留到 {until}，请尽快确认。", "{when}, {where}. It is held for you until {until}."),
    ),
    "waitlist_booked": Message(
        Text("候补成功，已为您预约", "Booked from the waiting list"),
        Text("{what}，{when}，{where}。", "{what}, {when}, {where}."),
    ),
    "waitlist_ended": Message(
        Text("候补已结束", "The waiting list is over"),
        Text("{why}候补没有动用您的权益。", "{why}Waiting has not touched your benefit."),
    ),
    "site_closed": Message(
        Text("机构停业", "A place closes"),
        Text(
            "{where} 停业，{when} 的预约不能保留。{closing}",
            "{where} closes and can't keep your booking of {when}. {closing}",
        ),
    ),
    "place_covered": Message(
        Text("您问的地方可以约了", "The place you asked about can be booked"),
        Text(
            "{where}：{benefit}{since}可以预约。{asked_first}",
            "{where}: {benefit} can be booked {since}. {asked_first}",
        ),
    ),
    "pledge_breached": Message(
        Text("没有按时回复您，抱歉", "We did not answer you in time"),
        Text(
            "我们承诺{within}回复，没有做到。{given}{waits}",
            "We promised an answer {within} and did not keep it. {given} {waits}",
        ),
    ),
    "doctor_answered": Message(
        Text("医生已回复您", "A doctor has answered you"),
        Text(
            "请打开问诊查看，也可以继续补充；对话会一直保留在那里。",
            "Open the consultation to read it and to go on. It stays there for you.",
        ),
    ),
    "call_back_due": Message(
        Text("您选的回复时间到了", "The time that you chose has come"),
        Text(
            "请打开问诊，医生会在那里回复您。您的问题一直排着队，不用重新提问。",
            "Open the consultation: a doctor answers you there. Your question kept its place, you need not ask again.",
        ),
    ),
    "nobody_on_shift": Message(
        Text("现在没有医生在线", "No doctor is on shift just now"),
        Text(
            "您的问题已保存。请打开问诊选择：继续等、约一个回复时间，或马上就医。情况紧急请拨打 120。",
            "Your question is safe with us. Open the consultation and choose: wait, be called back, or seek help now. "
            "If it is urgent, dial 120.",
        ),
    ),
    "escort_assigned": Message(
        Text("{who}会陪同您", "{who} will be with you"),
        Text(
            "{when}，{where}。{trade}见面时请先对见面口令，口令在预约页面。",
            "{when}, {where}. {trade} When you meet, ask for the safe word first: it is on the booking's page.",
        ),
    ),
    "escort_confirmed": Message(
        Text("预约已确认，{who}会陪同您", "Your booking is confirmed: {who} will be with you"),
        Text(
            "{what}，{when}，{where}。{trade}见面时请先对见面口令，口令在预约页面。{bring}",
            "{what}, {when}, {where}. {trade} When you meet, ask for the safe word first: it is on the booking's page. "
            "{bring}",
        ),
    ),
    "escort_replaced": Message(
        Text("换人了，{who}会陪同您", "Somebody else comes: {who}"),
        Text(
            "原来的陪同人员来不了，时间和地点不变：{when}，{where}。{trade}见面口令换了新的，请在预约页面查看。",
            "The person we named before can't come. Time and place stay: {when}, {where}. {trade} There is a new safe "
            "word: look at the booking's page.",
        ),
    ),
    "escort_late": Message(
        Text("陪同人员还没有到", "Your escort is not there yet"),
        Text(
            "{what}，{when}，{where}。陪同人员还没有报到达，我们和{place}正在联系。请先打开预约页面看她到哪里了。",
            "{what}, {when}, {where}. Your escort has not told us that she is there; we and {place} are asking. The "
            "booking's page says how far she is.",
        ),
    ),
    "escort_nobody": Message(
        Text("还没有找到陪同人员", "Nobody found yet to be with you"),
        Text(
            "{what}，{when}，{where}。我们和{place}还在找，找到就通知您，您的时间和权益都为您留着。{other_times}",
            "{what}, {when}, {where}. We and {place} go on looking and tell you who comes. Your time and your benefit "
            "are reserved. {other_times}",
        ),
    ),
}
"""Kind of notice to its words in general. A test holds every kind of booking.notices.kinds against it."""

_OTHER = Message(
    Text("预约有更新", "There is news of your booking"), Text("{what} {when} {where}", "{what} {when} {where}")
)

_BY: Mapping[str, Text] = {
    "customer": Text("权益已退回。", "Your benefit is back."),
    "provider": Text(
        "由{place}取消，权益已全部退回，可以另选时间。",
        "{Place} cancelled it. Your benefit is back in full; choose another time.",
    ),
    "other": Text("权益已全部退回。", "Your benefit is back in full."),
    "nobody_came": Text(
        "没有人到场，非常抱歉。权益已全部退回，可以另选时间。",
        "Nobody came, and we are sorry. Your benefit is back in full; choose another time.",
    ),
}

_ENDED: Mapping[str, Text] = {
    "over": Text("没有等到合适的名额。", "No place came free in time. "),
    "lapsed": Text("有两次为您留位，都没有确认。", "Two places were held for you and not confirmed. "),
    "entitlement_gone": Text("这些日子已没有可用的权益。", "There is no benefit left for these days. "),
    "person_gone": Text("此人已不在您的家人名单里。", "The person is no longer in your family list. "),
    "offer_closed": Text("您选的地方已不再提供这项服务。", "The places you chose no longer give this service. "),
    "booked_otherwise": Text("您已另有预约。", "You have booked meanwhile. "),
}
"""Why an entry of the waiting list ended."""

_DIFFERS: Mapping[str, Text] = {
    "moved": Text("{place}那边记录的是 {new}。", "{Place} has it at {new}."),
    "keeps_both": Text(
        "您撤回的改期时间 {new}，{place}还没有取消；原来的时间仍然有效，两个时间都为您留着。",
        "{Place} has not cancelled {new}, the change that you took back. Your date stands; both times are reserved.",
    ),
    "forgotten": Text("{place}那边暂时查不到这个预约。", "{Place} can't find this booking for now."),
    "cut": Text("{place}那边显示这个预约已取消。", "{Place} shows it as cancelled."),
    "fewer": Text(
        "{place}在这个时间给出的名额少于已约人数，您的预约目前仍然有效。",
        "{Place} now has fewer places at that time than are booked. Your booking stands for now.",
    ),
    "withdrawn": Text(
        "{place}取消了这个时间的名额，您的预约目前仍然有效。",
        "{Place} has withdrawn that time. Your booking stands for now.",
    ),
}
"""What the provider says of a booking instead of what was promised."""

_VERDICTS: Mapping[str, Text] = {
    "accepted": Text("经核实您已到场，记录已更正。", "You were there; we have put it right."),
    "rejected": Text(
        "经核实维持原记录，原因见预约页面。", "The record is unchanged; the reason is on the booking's page."
    ),
}

_STILL_WAITS = Text("您的问题仍在排队，不用重新提问。", "Your question stays in the queue: you need not ask again.")
_ANSWERED_LATE = Text(
    "医生现在已回复，请打开问诊查看。", "A doctor has answered now: open the consultation to read it."
)
_ASKED_FIRST = Text("需先提交申请，等待服务方答复。", "It is asked for first, and the provider answers.")
_NOTHING = Text("", "")


def say(kind: str, facts: Mapping[str, Any], language: Language, *, as_of: datetime) -> Said:
    """The words of a notice. `facts` are those of booking.notices; one that is missing leaves an empty place. The year
    is named when it isn't that of `as_of`."""
    spoken = words_of(str(facts.get("benefit") or ""))
    message = spoken.messages.get(kind) or WORDS.get(kind, _OTHER)
    values = _Facts(_values(facts, spoken, language, as_of))
    title, text = message.title.in_language(language), message.text.in_language(language)
    return Said(title.format_map(values), _tidy(text.format_map(values)))


def sms_text(said: Said, person: str, language: Language) -> str:
    """The text of an SMS: signed, with the masked name of the relative it is about, if it is about one."""
    if language == "zh":
        whose = f"（{masked_name(person)}）" if person else ""
        return f"【安享】{said.title}{whose}：{said.text}"
    whose = f" ({masked_name(person)})" if person else ""
    return f"[Anxiang] {said.title}{whose}. {said.text}"


def email_text(said: Said, person: str, language: Language, address: str) -> tuple[str, str]:
    """Subject and text of an e-mail. `address` leads to the message, behind the sign-in."""
    name = masked_name(person) if person else ""
    if language == "zh":
        whose, read, why = f"（{name}）" if name else "", "查看详情", "您可以在“我的 > 消息设置”里关闭邮件。"
        return f"安享：{said.title}{whose}", f"{said.title}{whose}\n{said.text}\n\n{read}：{address}\n\n{why}\n"
    whose, why = f" ({name})" if name else "", "You can turn these mails off under Me, Message settings."
    return f"Anxiang: {said.title}{whose}", f"{said.title}{whose}\n{said.text}\n\nDetails: {address}\n\n{why}\n"


def _where(site: str, language: Language) -> str:
    return Text(site, english_site(site)).in_language(language) if site else ""


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def _values(facts: Mapping[str, Any], spoken: Words, language: Language, as_of: datetime) -> dict[str, str]:
    zone = str(facts.get("zone") or HOME_ZONE)
    values = {
        **spoken.nouns(language),
        "bring": spoken.bring.in_language(language),
        "what": _by_language(facts.get("offer"), language),
        "where": _where(str(facts.get("site") or ""), language),
        "when": _when(facts.get("day"), facts.get("starts_at"), zone, language, as_of),
        "new": _when(facts.get("new_day"), facts.get("new_starts_at"), zone, language, as_of),
        "prepare": _by_language(facts.get("prepare"), language),
        "left": _days(facts.get("days_left"), language),
        "verdict": _VERDICTS.get(str(facts.get("outcome")), _NOTHING).in_language(language),
        "instead": _instead(facts.get("alternatives"), language, as_of),
        "other_times": _other_times(facts.get("alternatives"), language, as_of),
        "who": str(facts.get("who") or ""),
        "trade": _sentence(_by_language(facts.get("trade"), language), language),
    }
    if facts.get("until"):
        values["until"] = moment_text(datetime.fromisoformat(str(facts["until"])), zone, language, as_of)
    if facts.get("until_day"):
        values["until_day"] = day_text(date.fromisoformat(str(facts["until_day"])), language, as_of.year)
    if facts.get("benefit"):
        values["benefit"] = _benefit(str(facts["benefit"]), language)
    if facts.get("seconds"):
        values["within"] = _within(int(facts["seconds"]), language)
        values["given"] = _given(facts, language)
        values["waits"] = (_ANSWERED_LATE if facts.get("answered") else _STILL_WAITS).in_language(language)
    if facts.get("level"):
        values["since"] = _since(facts.get("covered_from"), language, as_of)
        values["asked_first"] = (_ASKED_FIRST if facts["level"] == "on_request" else _NOTHING).in_language(language)
    if facts.get("closing"):
        values["closing"] = _closing(facts, language, values["new"])
    by = "nobody_came" if facts.get("cause") == "nobody_came" else str(facts.get("by") or "other")
    differs = _DIFFERS.get(str(facts.get("says")), _NOTHING).in_language(language)
    values["differs"] = differs.format_map(_Facts(values))
    values["why"] = _ENDED.get(str(facts.get("reason")), _NOTHING).in_language(language)
    values["reason"] = _BY.get({"agent": "customer"}.get(by, by), _BY["other"]).in_language(language).format_map(values)
    return values


def _benefit(code: str, language: Language) -> str:
    """The benefit's name; its code where the kind is not installed any more."""
    known = kinds().get(code)
    return code if known is None else known.name.in_language(language)


def _since(day: Any, language: Language, as_of: datetime) -> str:
    """From which day on something can be booked; without one it can be by now."""
    if not day:
        return Text("现在", "now").in_language(language)
    said = day_text(date.fromisoformat(str(day)), language, as_of.year)
    return Text(f" {said} 起", f"for {said} and later").in_language(language)


def _within(seconds: int, language: Language) -> str:
    """How long something was promised to take, in the largest unit that says it exactly."""
    for unit, zh, one, many in ((3600, "小时", "hour", "hours"), (60, "分钟", "minute", "minutes")):
        if seconds % unit == 0:
            count = seconds // unit
            return Text(f" {count} {zh}内", f"within {count} {one if count == 1 else many}").in_language(language)
    return Text(f" {seconds} 秒内", f"within {seconds} seconds").in_language(language)


def _given(facts: Mapping[str, Any], language: Language) -> str:
    """What a broken pledge gave; nothing where the benefit is unlimited."""
    units = int(facts.get("units") or 0)
    if units == 0:
        return ""
    benefit = _benefit(str(facts.get("benefit") or ""), language)
    times = "1 more use" if units == 1 else f"{units} more uses"
    return Text(f"已为您补偿 {units} 次{benefit}。", f"We gave you {times} of: {benefit}.").in_language(language)


def _days(count: Any, language: Language) -> str:
    if count is None:
        return ""
    return Text(f"{count} 天", f"{count} day" if count == 1 else f"{count} days").in_language(language)


def _times(alternatives: Any, language: Language, as_of: datetime) -> list[str]:
    """The nearest other times, each in words."""
    if not isinstance(alternatives, list):
        return []
    return [
        _when(one.get("service_date"), one.get("starts_at"), str(one.get("time_zone") or HOME_ZONE), language, as_of)
        for one in alternatives
    ]


def _other_times(alternatives: Any, language: Language, as_of: datetime) -> str:
    """To which times a booking that stands could be moved; nothing when there is none."""
    times = _times(alternatives, language, as_of)
    if not times:
        return ""
    said = Text(
        f"也可以在预约页面改期，最近的时间：{'、'.join(times)}。",
        f"You can also move it on the booking's page. The nearest times: {'; '.join(times)}.",
    )
    return said.in_language(language)


def _sentence(words: str, language: Language) -> str:
    """A few words as a sentence of their own; nothing of nothing."""
    return words and Text(f"{words}。", f"{words}.").in_language(language)


def _instead(alternatives: Any, language: Language, as_of: datetime) -> str:
    """The nearest other times; nothing when there is none."""
    times = _times(alternatives, language, as_of)
    if not times:
        return ""
    said = Text(
        f"最近的其他时间：{'、'.join(times)}，在预约页面一点即可保留。",
        f"The nearest other times: {'; '.join(times)}. One tap on the booking's page keeps one.",
    )
    return said.in_language(language)


def _closing(facts: Mapping[str, Any], language: Language, new: str) -> str:
    """What happens to a booking whose site closes."""
    if facts["closing"] == "moving":
        return Text(f"正在为您改到 {new}。", f"We are moving it to {new}.").in_language(language)
    text = Text("权益全部退回。", "Your benefit comes back in full.")
    where = str(facts.get("new_site") or "")
    if not new:
        return text.in_language(language)
    nearest = Text(f"{text.zh}最近可约：{new}，{where}。", f"{text.en} The nearest other time: {new}, {where}.")
    return nearest.in_language(language)


def _by_language(names: Any, language: Language) -> str:
    if not isinstance(names, Mapping):
        return ""
    return Text.of(names).in_language(language)


def _when(day: Any, starts_at: Any, zone: str, language: Language, as_of: datetime) -> str:
    if starts_at:
        return moment_text(datetime.fromisoformat(str(starts_at)), zone, language, as_of, weekday=True)
    return day_text(date.fromisoformat(str(day)), language, as_of.astimezone(ZoneInfo(zone)).year) if day else ""


def day_text(day: date, language: Language, this_year: int) -> str:
    """`3 月 10 日 周二`, `Tue 10 March`; with the year when it isn't `this_year`."""
    pattern = _DAY if day.year == this_year else _DAY_WITH_YEAR
    return format_date(day, pattern.in_language(language), locale=_LOCALE.in_language(language))


def moment_text(moment: datetime, zone: str, language: Language, as_of: datetime, *, weekday: bool = False) -> str:
    """Day and time on the wall clock of `zone`; the zone is named where its clock differs from most readers'.

    Without `weekday` the day is left out when it is that of `as_of`.
    """
    local = moment.astimezone(ZoneInfo(zone))
    today = as_of.astimezone(ZoneInfo(zone))
    parts = [] if not weekday and local.date() == today.date() else [day_text(local.date(), language, today.year)]
    text = (" " if language == "zh" else ", ").join([*parts, f"{local:%H:%M}"])
    if local.utcoffset() == moment.astimezone(ZoneInfo(HOME_ZONE)).utcoffset():
        return text
    place = get_timezone_location(ZoneInfo(zone), locale=_LOCALE.in_language(language), return_city=True)
    return Text(f"{text}（{place}时间）", f"{text} ({place} time)").in_language(language)


def _tidy(text: str) -> str:
    """Without what empty places leave behind."""
    for stray, mended in (("，，", "，"), (", ,", ","), ("，。", "。"), (", .", "."), ("  ", " ")):
        text = text.replace(stray, mended)
    return text.strip(" ，,")
