"""What two spellings of a name say: one person's, another's, or nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.reports.persons.names import agree, contradict

SAME = [
    ("沈静宜", "沈静宜"),
    ("沈 静宜", "沈静宜"),
    ("沈\u3000静\u200b宜", "沈静宜"),
    ("沈靜宜", "沈静宜"),
    ("靜宜 沈", "沈静宜"),
    ("静宜, 沈", "沈静宜"),
    ("沈*宜", "沈静宜"),
    ("沈**", "沈静宜"),
    ("沈女士", "沈静宜"),
    ("沈某", "沈静宜"),
    ("沈", "沈静宜"),
    ("沈静宜女士", "沈静宜"),
    ("葉\U0002f8d9文", "叶\U0002f8d9文"),
    ("王\ue863", "王\U0002b5ae"),
    ("王?", "王䶮"),
    ("歐陽娜娜", "欧阳娜娜"),
    ("迪丽热巴", "迪丽热巴·迪力木拉提"),
    ("迪丽热巴•迪力木拉提", "迪丽热巴·迪力木拉提"),
    ("沈静宜 (Shen Jingyi)", "沈静宜"),
    ("沈静宜", "沈静宜 Jane Shen"),
    ("ＳＨＥＮ　Ｊｉｎｇｙｉ", "Shen Jingyi"),
    ("shen, jing yi", "Jingyi Shen"),
    ("SHENJINGYI", "Shen Jing-Yi"),
    ("J. Shen", "Jingyi Shen"),
    ("Ms Jingyi Shen", "Shen Jingyi"),
    ("J***", "Jingyi Shen"),
    ("Lü Na", "LYU NA"),
    ("Lv Na", "Lu Na"),
    ("José Núñez", "JOSE NUNEZ"),
    ("O'Brien Mary", "Mary OBrien"),
    ("John Adam Smith", "John Smith"),
]
OTHERS = [
    ("李四", "沈静宜"),
    ("沈静怡", "沈静宜"),
    ("沈静", "沈静宜"),
    ("沈宜静好", "沈静宜"),
    ("李*", "沈静宜"),
    ("李女士", "沈静宜"),
    ("张 四", "张 三"),
    ("李四 (Shen Jingyi)", "沈静宜 Shen Jingyi"),
    ("Zhang Wei", "Zhang Weimin"),
    ("J. Shen", "Wei Shen"),
    ("Shen Jing", "Jingyi Shen"),
]
NOTHING = [
    ("Shen Jingyi", "沈静宜"),
    ("沈静宜", "Shen Jingyi"),
    ("", "沈静宜"),
    ("未知", "沈静宜"),
    ("无名氏", "沈静宜"),
    ("Unknown", "Shen Jingyi"),
    ("***", "沈静宜"),
    ("12345", "沈静宜"),
    ("Шэнь Цзинъи", "Shen Jingyi"),
]


@pytest.mark.parametrize(("told", "ours"), SAME)
def test_spellings_of_one_name_agree_whichever_is_told(told: str, ours: str) -> None:
    assert (agree(told, ours), agree(ours, told)) == (True, True)


@pytest.mark.parametrize(("told", "ours"), OTHERS)
def test_names_of_two_people_do_not_agree_whichever_is_told(told: str, ours: str) -> None:
    assert (agree(told, ours), agree(ours, told)) == (False, False)


@pytest.mark.parametrize(("told", "ours"), NOTHING)
def test_what_cannot_be_compared_says_nothing(told: str, ours: str) -> None:
    assert (agree(told, ours), contradict([told], ours)) == (None, False)


def test_one_spelling_that_agrees_is_enough_and_one_that_says_nothing_is_not() -> None:
    assert not contradict(["李四", "沈静宜"], "沈静宜")
    assert contradict(["李四", "Li Si"], "沈静宜")
    assert not contradict([], "沈静宜")


_HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
_CHINESE = st.text(_HAN, min_size=2, max_size=5)
_WORD = st.text(st.characters(min_codepoint=ord("a"), max_codepoint=ord("z")), min_size=2, max_size=8)
_ENGLISH = st.lists(_WORD, min_size=2, max_size=4)


def _wide(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


@given(name=_CHINESE, seed=st.integers(0, 99))
def test_spaces_and_order_of_a_chinese_name_are_never_another_name(name: str, seed: int) -> None:
    at = 1 + seed % (len(name) - 1)
    for told in (f"{name[:at]} {name[at:]}", f"{name[at:]}\u3000{name[:at]}", f" {name[at:]}，{name[:at]}\u200b"):
        assert agree(told, name) is not False


@given(words=_ENGLISH, seed=st.integers(0, 99))
def test_case_width_joining_and_order_of_a_latin_name_are_never_another_name(words: list[str], seed: int) -> None:
    mixed = list(words)
    random.Random(seed).shuffle(mixed)
    for told in (" ".join(mixed).upper(), _wide(" ".join(mixed).title()), ", ".join(mixed), "-".join(mixed)):
        assert agree(told, " ".join(words)) is not False
