"""The words of facts: what stands in the places that the words of notices leave open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from marketplace.catalog.benefit_kind import Words
from marketplace.catalog.english.sites import english_site
from marketplace.catalog.kinds import kinds
from marketplace.core.clock import HOME_ZONE
from marketplace.core.text import Language, Text
from marketplace.messages.moments import day_text, moment_text, times, when

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


class Facts(dict[str, str]):
    """Facts in words; one that is missing leaves an empty place."""

    def __missing__(self, name: str) -> str:
        return ""


def in_words(facts: Mapping[str, Any], spoken: Words, language: Language, as_of: datetime) -> dict[str, str]:
    """Each place of `messages.words.every` that `facts` fill, in words. `spoken` are the words of the kind of benefit;
    the year is named when it isn't that of `as_of`."""
    zone = str(facts.get("zone") or HOME_ZONE)
    values = {
        **spoken.nouns(language),
        "bring": spoken.bring.in_language(language),
        "what": _by_language(facts.get("offer"), language),
        "where": _where(str(facts.get("site") or ""), language),
        "when": when(facts.get("day"), facts.get("starts_at"), zone, language, as_of),
        "new": when(facts.get("new_day"), facts.get("new_starts_at"), zone, language, as_of),
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
    values["differs"] = differs.format_map(Facts(values))
    values["why"] = _ENDED.get(str(facts.get("reason")), _NOTHING).in_language(language)
    values["reason"] = _BY.get({"agent": "customer"}.get(by, by), _BY["other"]).in_language(language).format_map(values)
    return values


def _where(site: str, language: Language) -> str:
    return Text(site, english_site(site)).in_language(language) if site else ""


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
    uses = "1 more use" if units == 1 else f"{units} more uses"
    return Text(f"已为您补偿 {units} 次{benefit}。", f"We gave you {uses} of: {benefit}.").in_language(language)


def _days(count: Any, language: Language) -> str:
    if count is None:
        return ""
    return Text(f"{count} 天", f"{count} day" if count == 1 else f"{count} days").in_language(language)


def _other_times(alternatives: Any, language: Language, as_of: datetime) -> str:
    """To which times a booking that stands could be moved; nothing when there is none."""
    found = times(alternatives, language, as_of)
    if not found:
        return ""
    said = Text(
        f"也可以在预约页面改期，最近的时间：{'、'.join(found)}。",
        f"You can also move it on the booking's page. The nearest times: {'; '.join(found)}.",
    )
    return said.in_language(language)


def _instead(alternatives: Any, language: Language, as_of: datetime) -> str:
    """The nearest other times; nothing when there is none."""
    found = times(alternatives, language, as_of)
    if not found:
        return ""
    said = Text(
        f"最近的其他时间：{'、'.join(found)}，在预约页面一点即可保留。",
        f"The nearest other times: {'; '.join(found)}. One tap on the booking's page keeps one.",
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


def _sentence(words: str, language: Language) -> str:
    """A few words as a sentence of their own; nothing of nothing."""
    return words and Text(f"{words}。", f"{words}.").in_language(language)
