"""What is said of a match, in both languages."""

from __future__ import annotations

import pytest

from booking.escort.matching.against import Against
from booking.escort.matching.match import Match, matched
from booking.escort.matching.people import Candidate
from booking.escort.matching.relax import Relaxation
from booking.escort.matching.score import Points, Why
from booking.escort.matching.words import POINTS, REASONS, WHO, explained, helps, lacking, points
from marketplace.core.text import Text
from tests.booking.escort.matching.workers import at, request, taken, worker

CANTONESE = frozenset({"mandarin", "cantonese"})
LATER = Text("改到 14:00 开始，有 1 人可以前往", "Beginning at 14:00, 1 could go")
ALL_THREE = Text(
    "缺少：当时在班、会粤语且是女士的人", "Missing: somebody who is on duty then, speaks Cantonese and is a woman"
)


def test_the_sentence_of_twelve() -> None:
    busy = [worker(each, taken=[taken(at(10), at(11))]) for each in range(1, 10)]
    others = [worker(10), worker(11), worker(12, languages=CANTONESE)]
    match = matched(request(language="cantonese", declined=frozenset({12})), [*busy, *others])
    assert explained(match) == Text(
        "本市 12 人：9 人已有安排，2 人不会粤语，1 人婉拒",
        "12 in the city: 9 busy, 2 don't speak Cantonese, 1 declined",
    )


@pytest.mark.parametrize(
    ("workers", "words"),
    [
        ([], Text("本市还没有人", "Nobody works in this city")),
        ([worker(1, city="宁波市")], Text("本市还没有人", "Nobody works in this city")),
        (
            [worker(1), worker(2, sex="male", languages=CANTONESE)],
            Text("本市 2 人：1 人不会粤语，1 人不是女士", "2 in the city: 1 doesn't speak Cantonese, 1 is not a woman"),
        ),
        (
            [worker(1, sex="male", languages=CANTONESE), worker(2, sex="male", languages=CANTONESE)],
            Text("本市 2 人：2 人不是女士", "2 in the city: 2 are not women"),
        ),
        (
            [worker(1, languages=CANTONESE), worker(2, papers=False)],
            Text("本市 2 人：1 人合适，1 人证件未核验", "2 in the city: 1 fits, 1 without checked papers"),
        ),
    ],
)
def test_the_numbers_have_their_forms(workers: list[Candidate], words: Text) -> None:
    assert explained(matched(request(language="cantonese", sex="female"), workers)) == words


def test_every_reason_has_words_for_one_and_for_several_in_both_languages() -> None:
    assert list(REASONS) == list(Against)
    assert list(WHO) == [each for each in Against if each is not Against.OTHER_CITY]
    assert list(POINTS) == list(Why)
    facts = {"language": Text("粤语", "Cantonese"), "sex": Text("女士", ""), "a_sex": Text("", "a woman")}
    for counted in REASONS.values():
        one, several = (counted.of(number, **facts, sexes=Text("", "women")) for number in (1, 2))
        assert one.zh.startswith("1 人")
        assert several.zh.startswith("2 人")
        assert one.en.startswith("1 ")
        assert several.en.startswith("2 ")
        assert not {"{", "}"} & {*one.zh, *one.en, *several.zh, *several.en}


@pytest.mark.parametrize(
    ("relaxation", "words"),
    [
        (Relaxation("time", request(start=14), 1), LATER),
        (Relaxation("sex", request(), 2), Text("不限男女，有 2 人可以前往", "Whether a woman or a man, 2 could go")),
        (Relaxation("language", request(), 1), Text("不限语言，有 1 人可以前往", "Whatever the language, 1 could go")),
    ],
)  # fmt: skip
def test_what_would_help(relaxation: Relaxation, words: Text) -> None:
    assert helps(relaxation) == words


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ([], Text("缺少：本市的人", "Missing: somebody who works in this city")),
        ([Against.PAPERS], Text("缺少：证件已核验的人", "Missing: somebody who has checked papers")),
        (
            [Against.OFF_DUTY, Against.LANGUAGE, Against.SEX],
            ALL_THREE,
        ),
    ],
)  # fmt: skip
def test_what_is_missing(missing: list[Against], words: Text) -> None:
    assert lacking(request(language="cantonese", sex="female"), missing) == words


def test_points_are_said_with_their_sign() -> None:
    assert points(Points(Why.KNOWS, 30)) == Text("熟悉这里 +30", "knows the place +30")
    assert points(Points(Why.TRAVEL, -7)).en == "the way there -7"


def test_no_word_names_anybody() -> None:
    match: Match = matched(request(declined=frozenset({1})), [worker(1, name="何静")])
    said = [text for each in (explained(match), lacking(match.request, match.missing)) for text in each]
    assert all(said) and not any("何静" in text for text in said)
