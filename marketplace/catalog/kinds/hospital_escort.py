"""Hospital escort (陪诊): somebody meets the person at the hospital, knows the way, and stays until she goes home."""

from __future__ import annotations

from marketplace.catalog.benefit_kind import Advice, BenefitKind, NotAt, Traits, Words
from marketplace.catalog.schemas.pieces import (
    AGES,
    CONTACT_NAME,
    CONTACT_PHONE,
    DIALECT,
    LANGUAGES,
    PREPARATION,
    agreed,
    check_ages,
    choice,
    languages,
    named_list,
    number,
    text,
)
from marketplace.core.text import Text

PACKAGE_SCHEMA = {
    "$schema": DIALECT,
    "type": "object",
    "additionalProperties": False,
    "required": ["items", "languages"],
    "properties": {
        "items": named_list("What is included", "服务内容"),
        "languages": languages("Languages that the escorts speak", "陪诊员使用的语言"),
        "preparation": PREPARATION,
        "duration_minutes": number("How long it takes at most (minutes)", "服务时长上限（分钟）", 30, 1440),
        **AGES,
    },
}

DETAILS_SCHEMA = {
    "$schema": DIALECT,
    "type": "object",
    "additionalProperties": False,
    "required": ["department", "mobility", "contact_name", "contact_phone", "share"],
    "properties": {
        "department": {
            **text("Department", "就诊科室", 60),
            "description": "As the appointment says, such as Cardiology.",
            "x-description-zh": "按预约单填写，如心内科。",
        },
        "meeting_point": {
            **text("Where to meet", "碰面地点", 120),
            "description": "Blank: the main entrance of the outpatient building.",
            "x-description-zh": "不填则在门诊楼正门碰面。",
        },
        "mobility": choice(
            "How does the person walk?",
            "行动情况",
            {
                "walks": ("行走自如", "Without help"),
                "stick": ("拄拐行走", "With a stick"),
                "wheelchair": ("坐轮椅", "In a wheelchair"),
                "needs_help": ("需要搀扶", "Needs an arm to hold"),
            },
        ),
        "language": choice("Language or dialect", "语言或方言", LANGUAGES),
        "escort_sex": choice(
            "Who should come?",
            "希望谁来陪诊",
            {"female": ("女士", "A woman"), "male": ("男士", "A man")},
        ),
        "contact_name": CONTACT_NAME,
        "contact_phone": CONTACT_PHONE,
        "note": text("A note for the escort", "给陪诊员的留言", 200),
        "share": agreed(
            "These answers may be given to the escort who comes. The person it is for agrees.",
            "同意把以上信息提供给前来的陪诊员，就诊人本人知情并同意。",
        ),
    },
}

WORDS = Words(
    service=Text("陪诊", "the escort"),
    services=Text("陪诊", "hospital escorts"),
    place=Text("陪诊机构", "the escort service"),
    person=Text("就诊人", "the person who is escorted"),
    for_whom=Text("就诊人", "For"),
    report=Text("陪诊记录", "Escort record"),
    check_in=Text("与陪诊员碰面", "Meet the escort"),
    not_attended=Text("未碰面", "Did not meet"),
    began=Text("陪诊开始", "The escort began"),
    under_way=Text("陪诊进行中", "The escort is under way"),
    done=Text("陪诊完成", "Escort done"),
    guidance=Text("陪诊员会带路、陪同候诊和取药。", "The escort knows the way, waits with you and fetches medicines."),
    bring=Text("请携带就诊人的身份证、医保卡和病历。", "Bring the ID card, the insurance card and earlier papers."),
    brought=Text("医保卡", "insurance card"),
    advice=(
        Advice(
            icon="id-card",
            title=Text("带身份证和医保卡", "Bring ID and insurance card"),
            text=Text("挂号和取药都要用。", "They are needed to register and to fetch medicines."),
        ),
        Advice(
            icon="file-text",
            title=Text("带上病历和检查单", "Bring earlier papers"),
            text=Text("医生看诊时会参考。", "The doctor will want to see them."),
        ),
    ),
    place_icon="hospital",
    service_icon="heart-handshake",
)

KIND = BenefitKind(
    code="hospital_escort",
    name=Text("陪诊", "Hospital escort"),
    traits=Traits(supply="window", occupies_person=False, dispatch=True, policy="long_term", answer_pledged=True),
    package_schema=PACKAGE_SCHEMA,
    details_schema=DETAILS_SCHEMA,
    check_eligible=check_ages,
    words=WORDS,
    not_at=(
        NotAt(
            Text("急救中心没有门诊，不提供陪诊。", "An emergency centre has no clinics to go to."),
            endings=("急救中心", "急救站"),
        ),
    ),
    example_details={
        "department": "心内科",
        "mobility": "walks",
        "contact_name": "测试联系人",
        "contact_phone": "13800000000",
        "share": True,
    },
)
