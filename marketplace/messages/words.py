"""The words of what customers are told: for each kind a title and a sentence, in Chinese and English.

They are used inside a request and outside of one (the worker writes SMS and e-mail in the customer's own language), so
they are plain texts rather than entries of the pages' catalogue. No sentence holds more than the appointment: its
date, place and the package's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_location

from marketplace.catalog import kinds

Language = Literal["zh", "en"]

HOME_ZONE = "Asia/Shanghai"
_LOCALES = {"zh": "zh_Hans_CN", "en": "en"}
_DAYS = {
    "zh": {"day": "M 月 d 日 EEE", "year": "y 年 M 月 d 日 EEE"},
    "en": {"day": "EEE d MMMM", "year": "EEE d MMMM y"},
}


@dataclass(frozen=True)
class Said:
    """What a notice says: a title of a few words and one or two sentences (blank where the title says all)."""

    title: str
    text: str


# Places of facts: {what} the package, {where} the site, {when} day and time at the site, {new} the day and time that is
# proposed, {until} a moment, {left} a number of days in words, {reason} a sentence of its own or nothing.
WORDS: Mapping[str, Mapping[Language, tuple[str, str]]] = {
    "held": {
        "zh": ("时间已为您保留", "{when}，{where}。请在 {until} 前确认，过时自动释放。"),
        "en": ("A time is kept for you", "{when}, {where}. Confirm by {until}, or it is released by itself."),
    },
    "confirmed": {
        "zh": ("预约已确认", "{what}，{when}，{where}。请携带体检人的身份证。"),
        "en": ("Your booking is confirmed", "{what}, {when}, {where}. Bring the ID card of the person who is checked."),
    },
    "rejected": {
        "zh": ("医院无法接受这次预约", "{what}，{when}，{where}。权益已全部退回，可以另选时间。{instead}"),
        "en": (
            "The hospital can't take this booking",
            "{what}, {when}, {where}. Your benefit is back in full; choose another time. {instead}",
        ),
    },
    "changed": {
        "zh": ("预约已改期", "现在是 {when}，{where}。"),
        "en": ("Your booking has moved", "It is now {when}, {where}."),
    },
    "change_refused": {
        "zh": ("改期未成功", "原来的时间不变：{when}，{where}。"),
        "en": ("The change was not possible", "The date stands as it was: {when}, {where}."),
    },
    "time_proposed": {
        "zh": ("医院建议另一个时间", "建议改到 {new}；您同意之前，{when} 保持不变。"),
        "en": ("The hospital proposes another time", "It proposes {new}. Until you agree, {when} stands."),
    },
    "cancelled": {
        "zh": ("预约已取消", "{what}，{when}，{where}。{reason}{instead}"),
        "en": ("Your booking is cancelled", "{what}, {when}, {where}. {reason} {instead}"),
    },
    "outcome_unknown": {
        "zh": ("正在与医院核实", "{when}，{where}。医院系统还没有回复，您的时间和权益都保留着，请不要重复预约。"),
        "en": (
            "We are checking with the hospital",
            "{when}, {where}. Its system is silent so far. Your time and your benefit are kept: don't book again.",
        ),
    },
    "reminder": {
        "zh": ("明天有预约", "{what}，{when}，{where}。{prepare}"),
        "en": ("A booking tomorrow", "{what}, {when}, {where}. {prepare}"),
    },
    "no_show": {
        "zh": ("医院登记为未到", "{what}，{when}，{where}。如有误，请在预约页面告诉我们。"),
        "en": (
            "The hospital says nobody came",
            "{what}, {when}, {where}. If that is wrong, tell us on the booking's page.",
        ),
    },
    "dispute_answered": {
        "zh": ("您的申诉有了答复", "{what}，{when}，{where}。{verdict}"),
        "en": ("There is an answer to your objection", "{what}, {when}, {where}. {verdict}"),
    },
    "report_ready": {
        "zh": ("报告到了", "{what}，{where}。可以在报告里查看了。"),
        "en": ("The report is here", "{what}, {where}. You find it among your reports."),
    },
    "report_partial": {
        "zh": ("部分结果到了", "{what}，{where}。其余结果随后送到。"),
        "en": ("A part of the report is here", "{what}, {where}. The rest follows."),
    },
    "report_corrected": {
        "zh": ("报告有更正", "{what}，{where}。新旧两版都在报告里。"),
        "en": ("The report was corrected", "{what}, {where}. Both versions are in your report box."),
    },
    "report_overdue": {
        "zh": ("报告晚了", "{what}，{where}。我们已在催医院。"),
        "en": ("The report is late", "{what}, {where}. We are pressing the hospital for it."),
    },
    "report_shared": {
        "zh": ("报告已分享", "{what}，{where}。您可以随时收回分享链接。"),
        "en": ("The report was shared", "{what}, {where}. You can take the link back at any time."),
    },
    "entitlement_expiring": {
        "zh": ("权益即将到期", "{benefit}：{until_day} 到期，还剩 {left}。"),
        "en": ("A benefit is about to end", "{benefit}: it ends on {until_day}: {left} left."),
    },
    "waitlist_offer": {
        "zh": ("候补有位了", "{when}，{where}。为您保留到 {until}，请尽快确认。"),
        "en": ("A place has come free", "{when}, {where}. It is kept for you until {until}."),
    },
    "waitlist_booked": {
        "zh": ("候补成功，已为您预约", "{what}，{when}，{where}。"),
        "en": ("Booked from the waiting list", "{what}, {when}, {where}."),
    },
    "waitlist_ended": {
        "zh": ("候补已结束", "{why}候补没有动用您的权益。"),
        "en": ("The waiting list is over", "{why}Waiting has not touched your benefit."),
    },
    "site_closed": {
        "zh": ("机构停业", "{where} 停业，{when} 的预约不能保留。{closing}"),
        "en": ("A place closes", "{where} closes and can't keep your booking of {when}. {closing}"),
    },
}
"""Kind to its words. A test holds every kind of booking.notices.kinds against it."""

_OTHER: Mapping[Language, tuple[str, str]] = {
    "zh": ("预约有更新", "{what} {when} {where}"),
    "en": ("There is news of your booking", "{what} {when} {where}"),
}

_BY: Mapping[str, Mapping[Language, str]] = {
    "customer": {"zh": "权益已退回。", "en": "Your benefit is back."},
    "provider": {
        "zh": "由医院取消，权益已全部退回，可以另选时间。",
        "en": "The hospital cancelled it. Your benefit is back in full; choose another time.",
    },
    "other": {"zh": "权益已全部退回。", "en": "Your benefit is back in full."},
}


_ENDED: Mapping[str, Mapping[Language, str]] = {
    "over": {"zh": "没有等到合适的名额。", "en": "No place came free in time. "},
    "lapsed": {"zh": "有两次为您留位，都没有确认。", "en": "Two places were kept for you and not confirmed. "},
    "entitlement_gone": {"zh": "这些日子已没有可用的权益。", "en": "There is no benefit left for these days. "},
    "person_gone": {"zh": "此人已不在您的家人名单里。", "en": "The person is no longer in your family list. "},
    "offer_closed": {
        "zh": "您选的地方已不再提供这项服务。",
        "en": "The places you chose no longer give this service. ",
    },
    "booked_otherwise": {"zh": "您已另有预约。", "en": "You have booked meanwhile. "},
}
"""Why an entry of the waiting list ended."""

_VERDICTS: Mapping[str, Mapping[Language, str]] = {
    "accepted": {"zh": "经核实您已到院，记录已更正。", "en": "You were there; we have put it right."},
    "rejected": {
        "zh": "经核实维持原记录，原因见预约页面。",
        "en": "It stands as it is; the reason is on the booking's page.",
    },
}
_NO_VERDICT: Mapping[Language, str] = {"zh": "", "en": ""}


def say(kind: str, facts: Mapping[str, Any], language: Language, *, told_at: datetime) -> Said:
    """The words of a notice. `facts` are those of booking.notices; one that is missing leaves an empty place. The year
    is named when it isn't that of `told_at`."""
    title, text = WORDS.get(kind, _OTHER)[language]
    values = _Facts(_values(facts, language, told_at))
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


def language_of(choice: str | None) -> Language:
    """The language to write to a customer in: her choice, Chinese without one."""
    return "en" if (choice or "zh").lower().startswith("en") else "zh"


def masked_name(name: str) -> str:
    """`沈*宜` is still a name: only its first character stays, `沈**`, `J***`."""
    return f"{name[:1]}{'*' * min(3, max(1, len(name) - 1))}"


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def _values(facts: Mapping[str, Any], language: Language, told_at: datetime) -> dict[str, str]:
    zone = str(facts.get("zone") or HOME_ZONE)
    values = {
        "what": _by_language(facts.get("offer"), language),
        "where": str(facts.get("site") or ""),
        "when": _when(facts.get("day"), facts.get("starts_at"), zone, language, told_at),
        "new": _when(facts.get("new_day"), facts.get("new_starts_at"), zone, language, told_at),
        "prepare": _by_language(facts.get("prepare"), language),
        "left": _days(facts.get("days_left"), language),
        "verdict": _VERDICTS.get(str(facts.get("outcome")), _NO_VERDICT)[language],
        "instead": _instead(facts.get("alternatives"), language, told_at),
    }
    if facts.get("until"):
        values["until"] = moment_text(datetime.fromisoformat(str(facts["until"])), zone, language, told_at)
    if facts.get("until_day"):
        values["until_day"] = day_text(date.fromisoformat(str(facts["until_day"])), language, told_at.year)
    if facts.get("benefit"):
        known = kinds.kind(str(facts["benefit"]))
        values["benefit"] = known.name_zh if language == "zh" else known.name_en
    if facts.get("closing"):
        values["closing"] = _closing(facts, language, values["new"])
    by = str(facts.get("by") or "other")
    values["why"] = _ENDED.get(str(facts.get("reason")), {}).get(language, "")
    values["reason"] = _BY.get({"agent": "customer"}.get(by, by), _BY["other"])[language]
    return values


def _days(count: Any, language: Language) -> str:
    if count is None:
        return ""
    return f"{count} 天" if language == "zh" else f"{count} day" if count == 1 else f"{count} days"


def _instead(alternatives: Any, language: Language, told_at: datetime) -> str:
    """The nearest other times; nothing when there is none."""
    if not isinstance(alternatives, list) or not alternatives:
        return ""
    times = [
        _when(one.get("service_date"), one.get("starts_at"), str(one.get("time_zone") or HOME_ZONE), language, told_at)
        for one in alternatives
    ]
    if language == "zh":
        return f"最近的其他时间：{'、'.join(times)}，在预约页面一点即可保留。"
    return f"The nearest other times: {'; '.join(times)}. One tap on the booking's page keeps one."


def _closing(facts: Mapping[str, Any], language: Language, new: str) -> str:
    """What happens to a booking whose site closes."""
    if facts["closing"] == "moving":
        return f"正在为您改到 {new}。" if language == "zh" else f"We are moving it to {new}."
    text = "权益全部退回。" if language == "zh" else "Your benefit comes back in full."
    where = str(facts.get("new_site") or "")
    if not new:
        return text
    return (
        f"{text}最近可约：{new}，{where}。" if language == "zh" else f"{text} The nearest other time: {new}, {where}."
    )


def _by_language(names: Any, language: Language) -> str:
    if not isinstance(names, Mapping):
        return ""
    return str(names.get(language) or names.get("zh") or names.get("en") or "")


def _when(day: Any, starts_at: Any, zone: str, language: Language, told_at: datetime) -> str:
    if starts_at:
        return moment_text(datetime.fromisoformat(str(starts_at)), zone, language, told_at, weekday=True)
    return day_text(date.fromisoformat(str(day)), language, told_at.astimezone(ZoneInfo(zone)).year) if day else ""


def day_text(day: date, language: Language, this_year: int) -> str:
    """`3 月 10 日 周二`, `Tue 10 March`; with the year when it isn't `this_year`."""
    pattern = _DAYS[language]["day" if day.year == this_year else "year"]
    return format_date(day, pattern, locale=_LOCALES[language])


def moment_text(moment: datetime, zone: str, language: Language, told_at: datetime, *, weekday: bool = False) -> str:
    """Day and time on the wall clock of `zone`; the zone is named where its clock differs from most readers'.

    Without `weekday` the day is left out when it is that of `told_at`.
    """
    local = moment.astimezone(ZoneInfo(zone))
    today = told_at.astimezone(ZoneInfo(zone))
    parts = [] if not weekday and local.date() == today.date() else [day_text(local.date(), language, today.year)]
    text = (" " if language == "zh" else ", ").join([*parts, f"{local:%H:%M}"])
    if local.utcoffset() == moment.astimezone(ZoneInfo(HOME_ZONE)).utcoffset():
        return text
    place = get_timezone_location(ZoneInfo(zone), locale=_LOCALES[language], return_city=True)
    return f"{text}（{place}时间）" if language == "zh" else f"{text} ({place} time)"


def _tidy(text: str) -> str:
    """Without what empty places leave behind."""
    for stray, mended in (("，，", "，"), (", ,", ","), ("，。", "。"), (", .", "."), ("  ", " ")):
        text = text.replace(stray, mended)
    return text.strip(" ，,")
