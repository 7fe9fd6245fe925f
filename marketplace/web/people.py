"""The customer's people as the pages name them."""

from __future__ import annotations

import re
from datetime import date

from flask_babel import gettext as _

from marketplace.catalog.benefit_kind import age_on
from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.english.surnames import DOUBLE
from marketplace.core import clock
from marketplace.core.text import Text
from marketplace.web.formats import dotted
from marketplace.web.language import by_language
from marketplace.web.parts import Person
from vip.customers.consent import consents
from vip.customers.family import Member, family
from vip.principal import Principal


def relation_word(relation: str) -> str:
    """`本人`, `父亲` …; `You`, `Father` …"""
    words = {
        "self": _("You"),
        "spouse": _("Spouse"),
        "father": _("Father"),
        "mother": _("Mother"),
        "son": _("Son"),
        "daughter": _("Daughter"),
        "father_in_law": _("Father-in-law"),
        "mother_in_law": _("Mother-in-law"),
    }
    return words.get(relation, _("Relative"))


def face(relation: str, name: str) -> str:
    """The one character of a portrait: of her own name for the customer, of the relation for others."""
    return (name if relation == "self" else relation_word(relation))[:1]


_READ_AS = {
    "单": "Shan", "吕": "Lü", "曾": "Zeng", "解": "Xie", "仇": "Qiu", "任": "Ren", "区": "Ou", "查": "Zha",
    "朴": "Piao", "盖": "Ge", "华": "Hua", "覃": "Qin", "乐": "Yue", "翟": "Zhai", "尉迟": "Yuchi", "长孙": "Zhangsun",
}  # fmt: skip
"""Surnames that are read otherwise than the word."""


def addressed(name: str, sex: str) -> str:
    """How a customer is spoken to: `沈女士`, `Ms Shen`. A name that is not Chinese is left as it is."""
    if not re.fullmatch(r"[\u4e00-\u9fff]{2,}", name):
        return name
    surname = name[:2] if len(name) > 2 and name[:2] in DOUBLE else name[:1]
    spelled = _READ_AS.get(surname) or "".join(syllables(surname)).capitalize()
    if sex == "female":
        return _("Ms %(surname)s", surname=by_language(Text(surname, spelled)))
    return _("Mr %(surname)s", surname=by_language(Text(surname, spelled)))


def person(member: Member, today: date, reasons: tuple[str, ...] = ()) -> Person:
    """A member of the family; `today` tells the age."""
    sex = _("Female") if member.sex == "female" else _("Male")
    return Person(
        member.public_id,
        member.name,
        relation_word(member.relation),
        face(member.relation, member.name),
        is_self=member.relation == "self",
        note=_("%(sex)s, %(age)d years", sex=sex, age=max(0, age_on(member.birth_date, today))),
        reasons=reasons,
    )


def named(name: str, relation: str) -> str:
    """`沈伯年·父亲`, `Shen Bonian · father`; the customer herself by her name alone."""
    return name if relation == "self" else dotted((name, relation_word(relation)))


def to_ask(principal: Principal) -> tuple[Person, ...]:
    """The adults of the family who have not agreed, for the list of reports."""
    now = clock.now()
    today = clock.today(principal.time_zone, now)
    found = consents(principal, now)
    people = [it for it in family(principal.id) if it.public_id in found]
    return tuple(person(it, today) for it in people if found[it.public_id].state == "missing")
