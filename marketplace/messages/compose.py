"""What a customer is told: the words of its kind with the facts in their places, and the texts of SMS and e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.catalog.benefit_kind import Message
from marketplace.catalog.kinds import words_of
from marketplace.core.text import Language, Text, masked_name
from marketplace.messages.facts import Facts, in_words
from marketplace.messages.words.every import WORDS

_OTHER = Message(
    Text("预约有更新", "There is news of your booking"), Text("{what} {when} {where}", "{what} {when} {where}")
)


@dataclass(frozen=True)
class Said:
    """What a notice says: a title of a few words and one or two sentences (blank where the title says all)."""

    title: str
    text: str


def say(kind: str, facts: Mapping[str, Any], language: Language, *, as_of: datetime) -> Said:
    """The words of a notice. `facts` are those of booking.notices; one that is missing leaves an empty place. The year
    is named when it isn't that of `as_of`."""
    spoken = words_of(str(facts.get("benefit") or ""))
    message = spoken.messages.get(kind) or WORDS.get(kind, _OTHER)
    known = Facts(in_words(facts, spoken, language, as_of))
    title, text = message.title.in_language(language), message.text.in_language(language)
    return Said(title.format_map(known), _tidy(text.format_map(known)))


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


def _tidy(text: str) -> str:
    """Without what empty places leave behind."""
    for stray, mended in (("，，", "，"), (", ,", ","), ("，。", "。"), (", .", "."), ("  ", " ")):
        text = text.replace(stray, mended)
    return text.strip(" ，,")
