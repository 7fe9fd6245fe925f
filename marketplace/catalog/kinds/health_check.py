"""Health check (体检): a package of examinations at a place and time, after which a report comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marketplace.catalog.benefit_kind import BRING_CARD, Advice, BenefitKind, NotEligible, Traits, Words, age_on
from marketplace.core.text import Text

_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
_AGE = {"type": ["integer", "null"], "minimum": 0, "maximum": 150}

PACKAGE_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["items", "sex"],
    "properties": {
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": 300,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["code", "name_zh", "name_en"],
                "properties": {
                    "code": {"type": "string", "pattern": "^[a-z0-9_-]{1,40}$"},
                    "name_zh": _TEXT,
                    "name_en": _TEXT,
                },
            },
        },
        "fasting": {
            "type": "object",
            "additionalProperties": False,
            "required": ["hours", "hint_zh", "hint_en"],
            "properties": {
                "hours": {"type": "integer", "minimum": 0, "maximum": 48},
                "hint_zh": _TEXT,
                "hint_en": _TEXT,
            },
        },
        "sex": {"enum": ["any", "male", "female"]},
        "age_min": _AGE,
        "age_max": _AGE,
        "preparation": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["zh", "en"],
                "properties": {"zh": _TEXT, "en": _TEXT},
            },
        },
        "duration_minutes": {"type": "integer", "minimum": 5, "maximum": 1440},
        "report_days": {"type": "integer", "minimum": 1, "maximum": 90},
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

KIND = BenefitKind(
    code="health_check",
    name=Text("体检", "Health check"),
    traits=Traits(supply="slot", report=True),
    package_schema=PACKAGE_SCHEMA,
    details_schema=DETAILS_SCHEMA,
    check_eligible=check_eligible,
    words=WORDS,
)
