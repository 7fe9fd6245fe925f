"""What the doctors say, in both languages: nothing of it is medical advice, everything of it is a demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Both(NamedTuple):
    """The same in Chinese and in English."""

    zh: str
    en: str


@dataclass(frozen=True)
class Department:
    """What its doctors ask first, then, and advise; what they write into a summary, and what they suggest next: a kind
    of benefit by its code, blank for nothing."""

    name: Both
    first: Both
    second: Both
    advice: Both
    found: Both
    next_service: str = ""


@dataclass(frozen=True)
class Topic:
    """What a doctor says to words in which one of the `signs` stands (small letters)."""

    signs: tuple[str, ...]
    says: Both


GREETING = Both(
    "您好，我是{department}的{name}{title}（演示环境，以下为预设回复）。",
    "Hello, this is {name}, {title}, {department} (a demonstration: these answers are prepared).",
)
QUOTED = Both("您说的“{quote}”我看到了。", 'I have read what you wrote: "{quote}".')
SEEN = Both("图片我看到了，谢谢。", "I have seen your picture, thank you.")
EMERGENCY = Both(
    "您提到的情况可能需要急救：如果现在仍有不适，请立即拨打 120 或去最近的急诊，不要等我的回复。",
    "What you describe can be an emergency: if it goes on now, call 120 or go to the nearest emergency department, and"
    " do not wait for me.",
)
PICTURED = Both("下图是一般几天内好转的过程，供您参考。", "The picture shows how it usually eases over some days.")
CLOSING = Both("我把今天的情况写成小结发给您。", "I am writing a summary of today for you.")
REWORDED = Both("（这条消息后来被改写了。）", "(This message was reworded later.)")
SUMMARY = Both(
    "{department}在线问诊。主诉：{quote}。{found}", "Online consultation, {department}. Reported: {quote}. {found}"
)
NOTHING_SAID = Both("未详述", "not described")

TOPICS = (
    Topic(
        ("发烧", "发热", "高烧", "低烧", "体温", "fever", "temperature"),
        Both("请每 4 小时量一次体温并记下来。", "Please take the temperature every four hours and write it down."),
    ),
    Topic(
        ("咳", "喉咙", "嗓子", "cough", "throat"),
        Both("咳嗽的话，有痰吗，是什么颜色？", "As to the cough: is there phlegm, and of what colour?"),
    ),
    Topic(
        ("疹", "痒", "红斑", "皮肤", "rash", "itch", "skin"),
        Both("先不要抓挠，也暂停使用新的护肤品。", "Please do not scratch, and stop any new skin product."),
    ),
    Topic(
        ("拉肚子", "腹泻", "呕吐", "恶心", "肚子", "胃", "diarrh", "vomit", "nausea", "stomach"),
        Both("请少量多次喝水，先吃清淡的。", "Please drink little and often, and eat light food."),
    ),
    Topic(
        ("失眠", "睡不", "焦虑", "sleep", "anxi", "worried"),
        Both("睡得不好多久了？", "For how long have you slept badly?"),
    ),
    Topic(
        ("药", "medicine", "tablet", "pill"),
        Both(
            "药请先按原来的用法用，不要自己加量。", "Please go on with your medicine as before, and take no more of it."
        ),
    ),
    Topic(
        ("报告", "体检", "化验", "report", "check-up", "test result"),
        Both(
            "体检结果我们可以一起看，请说说哪一项让您担心。",
            "We can look at your results together: which one worries you?",
        ),
    ),
    Topic(
        ("疼", "痛", "ache", "pain", "hurt"),
        Both("疼痛从 1 到 10 分，现在是几分？", "From 1 to 10, how strong is the pain now?"),
    ),
    Topic(("谢", "thank"), Both("不客气。", "You are welcome.")),
)

GENERAL = Department(
    Both("全科", "General practice"),
    Both("除此之外还有别的不舒服吗？", "Is there anything else that troubles you?"),
    Both("最近吃饭、睡觉和平时一样吗？", "Have you been eating and sleeping as usual?"),
    Both("目前可以先在家观察，多休息、多喝水。", "For now you can watch it at home, rest and drink plenty."),
    Both("目前未见需要急诊处理的情况。", "Nothing that needs emergency care at present."),
    "health_check",
)
DEPARTMENTS = {
    "general": GENERAL,
    "internal": Department(
        Both("内科", "Internal medicine"),
        Both(
            "您有高血压、糖尿病或者长期在吃的药吗？",
            "Do you have high blood pressure, diabetes, or medicines you take daily?",
        ),
        Both("活动以后会加重吗？", "Does it get worse when you move about?"),
        Both("建议近期做一次血压、血糖和血常规检查。", "Have your blood pressure, glucose and blood count taken soon."),
        Both("考虑与作息和饮食有关，建议检查后复诊。", "Probably due to habits and diet; come back after the tests."),
        "health_check",
    ),
    "dermatology": Department(
        Both("皮肤科", "Dermatology"),
        Both(
            "患处有多大，边界清楚吗？方便的话请发一张照片。",
            "How large is it, and is its border sharp? A picture would help.",
        ),
        Both("以前有过类似的情况或者过敏吗？", "Have you had the like before, or any allergy?"),
        Both(
            "保持患处清洁干燥，用温和的保湿霜，三天后再看。",
            "Keep it clean and dry, use a mild cream, and look again in three days.",
        ),
        Both("考虑轻度皮炎。", "Probably a mild dermatitis."),
    ),
    "paediatrics": Department(
        Both("儿科", "Paediatrics"),
        Both("孩子多大、体重多少，精神怎么样？", "How old and how heavy is the child, and is it lively?"),
        Both("吃奶、吃饭和小便都正常吗？", "Does the child eat, drink and pass water as usual?"),
        Both(
            "体温超过 38.5℃ 或精神变差，请带孩子去医院。", "Above 38.5 °C, or if the child gets drowsy, go to hospital."
        ),
        Both("孩子一般情况可，居家观察。", "The child is well enough to be watched at home."),
    ),
    "gynaecology": Department(
        Both("妇科", "Gynaecology"),
        Both("末次月经是什么时候，周期规律吗？", "When was your last period, and is your cycle regular?"),
        Both("有没有可能怀孕？", "Might you be pregnant?"),
        Both("建议在月经结束后做一次妇科检查。", "Have an examination after your period."),
        Both("建议线下检查后再明确。", "To be settled by an examination."),
        "health_check",
    ),
    "orthopaedics": Department(
        Both("骨科", "Orthopaedics"),
        Both("是受伤以后开始的吗，能正常走动吗？", "Did it begin with an injury, and can you walk?"),
        Both("休息以后会减轻吗？", "Does it ease when you rest?"),
        Both(
            "这一周减少负重，可以冷敷，每次 15 分钟。",
            "Put less weight on it this week, and cool it for 15 minutes at a time.",
        ),
        Both("考虑软组织劳损。", "Probably a strain."),
    ),
    "ent": Department(
        Both("耳鼻喉科", "Ear, nose and throat"),
        Both("是一侧还是两侧，有没有听力下降或流涕？", "One side or both? Any loss of hearing, or a running nose?"),
        Both("最近有感冒吗？", "Have you had a cold lately?"),
        Both("可以用生理盐水冲洗，避免用力擤鼻。", "Rinse with saline, and do not blow your nose hard."),
        Both("考虑上呼吸道炎症。", "Probably an inflammation of the upper airways."),
    ),
}
