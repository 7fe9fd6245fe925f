"""Health check (体检): a package of examinations at a place and time, after which a report comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marketplace.catalog.benefit_kind import BRING_CARD, Advice, BenefitKind, NotAt, NotEligible, Traits, Words, age_on
from marketplace.core.text import Text

_AGE = {"type": ["integer", "null"], "minimum": 0, "maximum": 150}


def _text(title: str, title_zh: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": 200, "title": title, "x-title-zh": title_zh}


PACKAGE_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["items", "sex"],
    "properties": {
        "items": {
            "title": "Examinations",
            "x-title-zh": "检查项目",
            "type": "array",
            "minItems": 1,
            "maxItems": 300,
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
        "fasting": {
            "title": "Fasting, if it is needed",
            "x-title-zh": "空腹要求（如需）",
            "type": "object",
            "additionalProperties": False,
            "required": ["hours", "hint_zh", "hint_en"],
            "properties": {
                "hours": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 48,
                    "title": "Hours without food",
                    "x-title-zh": "禁食小时数",
                },
                "hint_zh": _text("Hint in Chinese", "中文提示"),
                "hint_en": _text("Hint in English", "英文提示"),
            },
        },
        "sex": {
            "title": "For whom",
            "x-title-zh": "适用性别",
            "enum": ["any", "male", "female"],
            "x-names": {"any": "Everybody", "male": "Men", "female": "Women"},
            "x-names-zh": {"any": "不限", "male": "男", "female": "女"},
        },
        "age_min": {**_AGE, "title": "Youngest age (years)", "x-title-zh": "最小年龄（岁）"},
        "age_max": {**_AGE, "title": "Oldest age (years)", "x-title-zh": "最大年龄（岁）"},
        "preparation": {
            "title": "How to prepare",
            "x-title-zh": "准备事项",
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["zh", "en"],
                "properties": {"zh": _text("In Chinese", "中文"), "en": _text("In English", "英文")},
            },
        },
        "duration_minutes": {
            "type": "integer",
            "minimum": 5,
            "maximum": 1440,
            "title": "How long it takes (minutes)",
            "x-title-zh": "所需时长（分钟）",
        },
        "report_days": {
            "type": "integer",
            "minimum": 1,
            "maximum": 90,
            "title": "Days until the report",
            "x-title-zh": "出报告天数",
        },
    },
}

DETAILS_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "note": {
            "type": "string",
            "maxLength": 200,
            "title": "A note for the centre",
            "x-title-zh": "给体检中心的留言",
        },
        "wheelchair": {"type": "boolean", "title": "Needs a wheelchair", "x-title-zh": "需要轮椅"},
    },
}


def check_eligible(package: Mapping[str, Any], person_sex: str, birth_date: date, on_date: date) -> None:
    """The package's sex and age rules at the service date; both ages are included. Raises NotEligible."""
    if package.get("sex", "any") not in ("any", person_sex):
        raise NotEligible(reason="sex", sex=package["sex"])
    age = age_on(birth_date, on_date)
    youngest, oldest = package.get("age_min"), package.get("age_max")
    if age < 0 or (youngest is not None and age < youngest) or (oldest is not None and age > oldest):
        raise NotEligible(reason="age", min_age=youngest, max_age=oldest, age=age)


WORDS = Words(
    service=Text("体检", "the check"),
    services=Text("体检", "health checks"),
    place=Text("医院", "the hospital"),
    person=Text("体检人", "the person who is checked"),
    for_whom=Text("体检人", "For"),
    report=Text("体检报告", "Health check report"),
    check_in=Text("到院签到", "Check in"),
    not_attended=Text("未到院", "Not attended"),
    began=Text("体检开始", "The check began"),
    under_way=Text("体检进行中", "The check is under way"),
    done=Text("体检完成", "Check done"),
    guidance=Text("请跟随工作人员的指引。", "Follow the staff from room to room."),
    bring=Text("请携带体检人的身份证原件。", "Bring the original ID card of the person who is checked."),
    fasting=Text("日常用药请遵医嘱。", "Take your usual pills as your doctor told you."),
    advice=(
        BRING_CARD,
        Advice(
            icon="shirt",
            title=Text("穿宽松的衣服", "Wear something loose"),
            text=Text("不戴首饰，以免影响影像检查。", "Leave jewellery at home; it disturbs imaging."),
        ),
    ),
    place_icon="hospital",
    service_icon="stethoscope",
)

NOT_AT = (
    NotAt(
        Text("口腔医院只看口腔，不做全身体检。", "A dental hospital looks at teeth only, not at the whole body."),
        kinds=("口腔医院",),
    ),
    NotAt(
        Text("这类专科医院不做全身体检。", "A hospital of this one specialty does no check of the whole body."),
        kinds=("眼耳鼻喉医院", "皮肤病医院", "整形美容"),
    ),
    NotAt(
        Text("急救中心只做院前急救，不做体检。", "An emergency centre sends ambulances and does no health checks."),
        endings=("急救中心", "急救站"),
    ),
)

KIND = BenefitKind(
    code="health_check",
    name=Text("体检", "Health check"),
    traits=Traits(supply="slot", report=True),
    package_schema=PACKAGE_SCHEMA,
    details_schema=DETAILS_SCHEMA,
    check_eligible=check_eligible,
    words=WORDS,
    not_at=NOT_AT,
)
