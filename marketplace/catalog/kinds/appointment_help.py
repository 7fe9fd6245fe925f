"""Help with an appointment (就医协助): an appointment with a specialist is arranged at the hospital of one's choice."""

from __future__ import annotations

from marketplace.catalog.benefit_kind import Advice, BenefitKind, Traits, Words
from marketplace.catalog.schemas.pieces import (
    AGES,
    CONTACT_NAME,
    CONTACT_PHONE,
    DIALECT,
    PREPARATION,
    agreed,
    check_ages,
    choice,
    named_list,
    text,
)
from marketplace.core.text import Text

PACKAGE_SCHEMA = {
    "$schema": DIALECT,
    "type": "object",
    "additionalProperties": False,
    "required": ["items"],
    "properties": {
        "items": named_list("What is included", "服务内容"),
        "preparation": PREPARATION,
        **AGES,
    },
}

DETAILS_SCHEMA = {
    "$schema": DIALECT,
    "type": "object",
    "additionalProperties": False,
    "required": ["department", "contact_name", "contact_phone", "share"],
    "properties": {
        "department": text("Department", "希望就诊的科室", 60),
        "doctor": text("A doctor you would like to see", "希望看的医生", 60),
        "visit": choice(
            "What kind of visit?",
            "就诊类型",
            {
                "first": ("初诊", "The first visit"),
                "follow_up": ("复诊", "A follow-up visit"),
                "second_opinion": ("第二诊疗意见", "A second opinion"),
            },
        ),
        "concern": {
            **text("What is it about?", "就诊原因", 500),
            "description": "A sentence helps to find the right doctor.",
            "x-description-zh": "一句话即可，便于匹配医生。",
        },
        "contact_name": CONTACT_NAME,
        "contact_phone": CONTACT_PHONE,
        "share": agreed(
            "These answers may be given to those who arrange the appointment. The person it is for agrees.",
            "同意把以上信息提供给安排预约的工作人员，就诊人本人知情并同意。",
        ),
    },
}

WORDS = Words(
    service=Text("就医协助", "the appointment"),
    services=Text("就医协助", "help with appointments"),
    place=Text("协助机构", "the appointment service"),
    person=Text("就诊人", "the person who sees the doctor"),
    for_whom=Text("就诊人", "For"),
    report=Text("就医记录", "Record of the visit"),
    check_in=Text("到院报到", "Arrive at the hospital"),
    not_attended=Text("未就诊", "Not attended"),
    began=Text("就诊开始", "The visit began"),
    under_way=Text("就诊进行中", "The visit is under way"),
    done=Text("就诊完成", "Visit done"),
    guidance=Text("请按预约单到诊室候诊。", "Wait at the room that the appointment names."),
    bring=Text("请携带就诊人的身份证、医保卡和病历。", "Bring the ID card, the insurance card and earlier papers."),
    brought=Text("医保卡", "insurance card"),
    advice=(
        Advice(
            icon="id-card",
            title=Text("带身份证和医保卡", "Bring ID and insurance card"),
            text=Text("取号时要用。", "They are needed at the counter."),
        ),
    ),
    place_icon="hospital",
    service_icon="stethoscope",
)

KIND = BenefitKind(
    code="appointment_help",
    name=Text("就医协助", "Help with an appointment"),
    traits=Traits(supply="window", occupies_person=False, dispatch=True, policy="long_term", answer_pledged=True),
    package_schema=PACKAGE_SCHEMA,
    details_schema=DETAILS_SCHEMA,
    check_eligible=check_ages,
    words=WORDS,
    example_details={
        "department": "心内科",
        "contact_name": "测试联系人",
        "contact_phone": "13800000000",
        "share": True,
    },
)
