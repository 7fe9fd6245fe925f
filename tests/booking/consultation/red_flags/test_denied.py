"""What is denied, over, only supposed or made little of is no alarm; what only looks so is one."""

from __future__ import annotations

import pytest

from tests.booking.consultation.red_flags.test_phrasings import codes

DENIED = [
    "没有胸痛",
    "没胸痛",
    "并没有胸痛",
    "胸不痛也不闷",
    "胸口不疼",
    "没有胸痛、胸闷、气短",
    "无胸痛、无呼吸困难",
    "胸痛没有，发烧也没有",
    "胸痛、气短都没有",
    "胸痛：无；气短：无",
    "胸痛吗？没有。",
    "否认胸痛，气短，抽搐",
    "不是胸痛，是背痛",
    "no chest pain",
    "No chest pain, shortness of breath, or seizures",
    "denies chest pain, shortness of breath and seizures",
    "she doesn't have chest pain",
    "without any chest pain or trouble breathing",
    "neither chest pain nor shortness of breath",
    "Chest pain? No.",
    "chest pain: none",
    "我没有自杀的想法",
    "not suicidal",
]
STILL_AN_ALARM = [
    ("没有胸痛，但是喘不上气", {"breathing"}),
    ("没有胸痛。喘不上气", {"breathing"}),
    ("没有发烧，胸口痛", {"chest_pain"}),
    ("不是胸痛而是喘不上气", {"breathing"}),
    ("胸痛没有缓解", {"chest_pain"}),
    ("吃药没用胸还是痛", {"chest_pain"}),
    ("没力气，胸口痛", {"chest_pain"}),
    ("没有吃药胸口就痛", {"chest_pain"}),
    ("不知道是不是胸痛", {"chest_pain"}),
    ("是不是中风了", {"stroke"}),
    ("无明显诱因胸痛两小时", {"chest_pain"}),
    ("不停地抽搐", {"seizure"}),
    ("呼吸不了", {"breathing"}),
    ("不能呼吸", {"breathing"}),
    ("没有呼吸了", {"unconscious"}),
    ("一点反应都没有，昏迷了", {"unconscious"}),
    ("从来没有这么胸痛过", {"chest_pain"}),
    ("不小心喝了农药", {"poisoning"}),
    ("can't stop bleeding", {"bleeding"}),
    ("No, I have chest pain", {"chest_pain"}),
    ("no chest pain but I can't breathe", {"breathing"}),
    ("No fever. Chest pain since this morning.", {"chest_pain"}),
    ("no relief from the chest pain", {"chest_pain"}),
    ("not sure if this is chest pain", {"chest_pain"}),
    ("he is not breathing", {"breathing", "unconscious"}),
    ("I don't want to live", {"suicide"}),
    ("never had chest pain like this", {"chest_pain"}),
]
OVER_OR_SUPPOSED = [
    "十年前中过风",
    "小时候有过抽搐",
    "我爸去年冬天突然半边身子动不了，当时送医，现在恢复得不错",
    "had a seizure as a child",
    "my father had a stroke in 2015",
    "怎么预防心梗",
    "中风有哪些症状",
    "what are the signs of stroke",
    "if I had chest pain, what should I do?",
    "如果胸痛该怎么办",
    "心梗的保险怎么理赔",
]
NOT_OVER = [
    ("十年前中过风，现在又说不出话", {"stroke"}),
    ("had a stroke years ago, now his face is drooping again", {"stroke"}),
    ("小时候抽搐过。今天又抽搐了", {"seizure"}),
    ("从去年开始胸口痛，一直没好", {"chest_pain"}),
    ("如果是心梗怎么办，救命，我胸口痛", {"chest_pain"}),
]
SMALL = [
    "手指划了个小口子，流了很多血，已经止住",
    "a small cut, lots of blood at first but it stopped bleeding",
    "轻轻碰到头，没事",
]


@pytest.mark.parametrize("text", DENIED)
def test_what_is_denied_is_no_alarm(text: str) -> None:
    assert codes(text) == set()


@pytest.mark.parametrize(("text", "signs"), STILL_AN_ALARM)
def test_a_denying_word_is_not_enough(text: str, signs: set[str]) -> None:
    assert codes(text) >= signs


@pytest.mark.parametrize("text", OVER_OR_SUPPOSED)
def test_what_is_over_or_supposed_is_no_alarm(text: str) -> None:
    assert codes(text) == set()


@pytest.mark.parametrize(("text", "signs"), NOT_OVER)
def test_what_is_here_again_is_one(text: str, signs: set[str]) -> None:
    assert codes(text) >= signs


@pytest.mark.parametrize("text", SMALL)
def test_what_is_made_little_of_is_no_alarm(text: str) -> None:
    assert codes(text) == set()


LEARNT = [
    "脑出血和脑梗死怎么区分，我是医学生",
    "煤气中毒是怎么引起的，学校布置的手抄报",
    "Nursing student here: what is the first-line drug for anaphylaxis?",
    "电视剧里女主角突然昏迷三年又醒了，现实中可能吗",
    "手机中毒了，刚才发了好多乱码",
]
NOT_LEARNT = [
    ("我是医学生，室友昏迷了", {"unconscious"}),
    ("煤气中毒，视频里说要开窗，然后呢", {"poisoning"}),
    ("看电视剧的时候老公突然嘴歪了流口水", {"stroke"}),
    ("在古装剧跑龙套我突然晕倒了", {"unconscious"}),
    ("想了解怎么自杀不痛", {"suicide"}),
    ("anaphylaxis, used epipen, how long until it works", {"allergy"}),
    ("溺水儿童怎么急救 我们在水库边上 小孩没心跳了", {"drowning", "unconscious"}),
]


@pytest.mark.parametrize("text", LEARNT)
def test_what_is_asked_in_order_to_learn_is_no_alarm(text: str) -> None:
    assert codes(text) == set()


@pytest.mark.parametrize(("text", "signs"), NOT_LEARNT)
def test_what_happens_to_somebody_here_is_one_whatever_else_is_said(text: str, signs: set[str]) -> None:
    assert codes(text) >= signs
