"""Online consultation (在线图文问诊): a doctor answers by text and pictures, day and night, within a pledged time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marketplace.catalog.benefit_kind import BenefitKind, Message, NotEligible, Traits, Words, age_on
from marketplace.core.text import Text

GENERAL = "general"
"""The department of a question that names none."""


def _text(title: str, title_zh: str, most: int = 200) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most, "title": title, "x-title-zh": title_zh}


PACKAGE_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["departments", "languages"],
    "properties": {
        "departments": {
            "title": "Departments",
            "x-title-zh": "科室",
            "type": "array",
            "minItems": 1,
            "maxItems": 60,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["code", "name_zh", "name_en"],
                "properties": {
                    "code": {
                        "type": "string",
                        "pattern": "^[a-z0-9_-]{1,40}$",
                        "title": "Code (a to z, 0 to 9, - and _)",
                        "x-title-zh": "代码（a–z、0–9、- 和 _）",
                    },
                    "name_zh": _text("Name in Chinese", "中文名称"),
                    "name_en": _text("Name in English", "英文名称"),
                },
            },
        },
        "languages": {
            "title": "Languages that doctors answer in",
            "x-title-zh": "医生使用的语言",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "enum": ["zh", "en"],
                "x-names": {"zh": "Chinese", "en": "English"},
                "x-names-zh": {"zh": "中文", "en": "英文"},
            },
        },
        "pledge_seconds": {
            "type": "integer",
            "minimum": 30,
            "maximum": 86_400,
            "title": "Seconds until the first answer",
            "x-title-zh": "首次回复时限（秒）",
        },
        "compensation_units": {
            "type": "integer",
            "minimum": 0,
            "maximum": 10,
            "title": "Consultations given for a late first answer",
            "x-title-zh": "首次回复超时补偿次数",
        },
        "age_min": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 150,
            "title": "Youngest age (years)",
            "x-title-zh": "最小年龄（岁）",
        },
        "age_max": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 150,
            "title": "Oldest age (years)",
            "x-title-zh": "最大年龄（岁）",
        },
    },
}

DETAILS_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "symptoms": _text("What troubles you?", "哪里不舒服？", 2_000),
        "since": {
            "title": "Since when?",
            "x-title-zh": "从什么时候开始？",
            "enum": ["today", "days", "weeks", "months", "longer"],
            "x-names": {
                "today": "Since today",
                "days": "For some days",
                "weeks": "For some weeks",
                "months": "For some months",
                "longer": "For longer",
            },
            "x-names-zh": {
                "today": "今天",
                "days": "几天",
                "weeks": "几周",
                "months": "几个月",
                "longer": "更久",
            },
        },
        "medicines": _text("Medicines that are taken", "正在服用的药物", 500),
        "allergies": _text("Allergies", "过敏史", 500),
        "pregnancy": {
            "title": "Pregnant or breastfeeding?",
            "x-title-zh": "是否怀孕或哺乳？",
            "enum": ["no", "pregnant", "breastfeeding", "maybe"],
            "x-names": {"no": "No", "pregnant": "Pregnant", "breastfeeding": "Breastfeeding", "maybe": "Perhaps"},
            "x-names-zh": {"no": "否", "pregnant": "怀孕", "breastfeeding": "哺乳", "maybe": "不确定"},
        },
    },
}


def check_eligible(package: Mapping[str, Any], person_sex: str, birth_date: date, on_date: date) -> None:
    """The package's ages, both included. Raises NotEligible."""
    age = age_on(birth_date, on_date)
    youngest, oldest = package.get("age_min"), package.get("age_max")
    if age < 0 or (youngest is not None and age < youngest) or (oldest is not None and age > oldest):
        raise NotEligible(reason="age", min_age=youngest, max_age=oldest, age=age)


WORDS = Words(
    service=Text("问诊", "the consultation"),
    services=Text("在线问诊", "a doctor's answer"),
    place=Text("医生", "the doctor"),
    person=Text("咨询人", "the person it is about"),
    for_whom=Text("咨询人", "For"),
    report=Text("问诊小结", "Consultation summary"),
    check_in=Text("已接诊", "Taken by a doctor"),
    not_attended=Text("未问诊", "Not held"),
    began=Text("医生已回复", "The doctor answered"),
    queued=Text("排队等待医生", "In the doctors' queue"),
    under_way=Text("问诊进行中", "The consultation is under way"),
    done=Text("问诊结束", "Consultation closed"),
    guidance=Text("可随时补充症状或图片。", "You can add symptoms or pictures at any time."),
    bring=Text("", ""),
    advice=(),
    messages={
        "cancelled": Message(
            Text("问诊已取消", "Your consultation is cancelled"),
            Text("{what}，{when}。权益已退回。", "{what}, {when}. Your benefit is back."),
        ),
        "rejected": Message(
            Text("医生暂时无法接诊", "No doctor can take it now"),
            Text("{what}，{when}。权益已全部退回。", "{what}, {when}. Your benefit is back in full."),
        ),
    },
    place_icon="stethoscope",
    service_icon="stethoscope",
)

KIND = BenefitKind(
    code="online_consultation",
    name=Text("在线问诊", "Online consultation"),
    traits=Traits(supply="immediate", report=True, report_days=1, occupies_person=False, pledge_seconds=90),
    package_schema=PACKAGE_SCHEMA,
    details_schema=DETAILS_SCHEMA,
    check_eligible=check_eligible,
    words=WORDS,
    max_details_bytes=8_000,
)
