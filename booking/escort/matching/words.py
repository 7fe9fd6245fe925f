"""What is said of a match, in both languages: who is in the city and can't be sent, what would help, what speaks for
somebody. No word of it names a customer or a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from booking.escort.matching.against import Against
from booking.escort.matching.match import Match
from booking.escort.matching.people import Request
from booking.escort.matching.relax import Relaxation
from booking.escort.matching.score import Points, Why
from marketplace.catalog.schemas.pieces import LANGUAGES
from marketplace.core.text import Text


@dataclass(frozen=True)
class Counted:
    """Words for a number of people: Chinese, English of one, English of several."""

    zh: str
    one: str
    several: str

    def of(self, number: int, **facts: Text) -> Text:
        """The words for so many; each of the facts in its language."""
        zh = {name: each.zh for name, each in facts.items()}
        en = {name: each.en for name, each in facts.items()}
        words = self.one if number == 1 else self.several
        return Text(self.zh.format(n=number, **zh), words.format(n=number, **en))


REASONS: Mapping[Against, Counted] = {
    Against.OTHER_CITY: Counted("{n} 人在其他城市", "{n} in another city", "{n} in other cities"),
    Against.NOT_YET: Counted("{n} 人尚未入职", "{n} has not started yet", "{n} have not started yet"),
    Against.LEFT: Counted("{n} 人届时已离职", "{n} will have left", "{n} will have left"),
    Against.PAPERS: Counted("{n} 人证件未核验", "{n} without checked papers", "{n} without checked papers"),
    Against.OFF_DUTY: Counted("{n} 人不在班", "{n} off duty", "{n} off duty"),
    Against.ABSENT: Counted("{n} 人请假", "{n} absent", "{n} absent"),
    Against.BUSY: Counted("{n} 人已有安排", "{n} busy", "{n} busy"),
    Against.TRAVEL: Counted("{n} 人赶不过来", "{n} can't get there or on in time", "{n} can't get there or on in time"),
    Against.LANGUAGE: Counted("{n} 人不会{language}", "{n} doesn't speak {language}", "{n} don't speak {language}"),
    Against.SEX: Counted("{n} 人不是{sex}", "{n} is not {a_sex}", "{n} are not {sexes}"),
    Against.DECLINED: Counted("{n} 人婉拒", "{n} declined", "{n} declined"),
    Against.DID_NOT_ANSWER: Counted("{n} 人未答复", "{n} did not answer", "{n} did not answer"),
    Against.REPLACED: Counted("{n} 人已被换下", "{n} was taken off it", "{n} were taken off it"),
}
WHO: Mapping[Against, Text] = {
    Against.NOT_YET: Text("已经入职", "has started"),
    Against.LEFT: Text("届时仍在职", "is still there then"),
    Against.PAPERS: Text("证件已核验", "has checked papers"),
    Against.OFF_DUTY: Text("当时在班", "is on duty then"),
    Against.ABSENT: Text("没有请假", "is not absent"),
    Against.BUSY: Text("当时有空", "is free then"),
    Against.TRAVEL: Text("来得及赶到", "gets there and on in time"),
    Against.LANGUAGE: Text("会{language}", "speaks {language}"),
    Against.SEX: Text("是{sex}", "is {a_sex}"),
    Against.DECLINED: Text("没有婉拒", "has not declined"),
    Against.DID_NOT_ANSWER: Text("没有错过答复", "has not left it unanswered"),
    Against.REPLACED: Text("没有被换下", "was not taken off it"),
}
POINTS: Mapping[Why, Text] = {
    Why.KNOWS: Text("熟悉这里", "knows the place"),
    Why.LANGUAGES: Text("会其他方言，留给需要的人", "speaks what others need"),
    Why.RATING: Text("评分", "rating"),
    Why.LOAD: Text("当天已有安排", "other work that day"),
    Why.TRAVEL: Text("路程", "the way there"),
}
_FITS = Counted("{n} 人合适", "{n} fits", "{n} fit")
_COULD = Counted("有 {n} 人可以前往", "{n} could go", "{n} could go")
_SEXES = {
    "female": {"sex": Text("女士", ""), "a_sex": Text("", "a woman"), "sexes": Text("", "women")},
    "male": {"sex": Text("男士", ""), "a_sex": Text("", "a man"), "sexes": Text("", "men")},
}


def explained(match: Match) -> Text:
    """`12 in the city: 9 busy, 2 don't speak Cantonese, 1 declined`, in the order of the filters."""
    if not match.in_city:
        return Text("本市还没有人", "Nobody works in this city")
    facts = _wishes(match.request)
    parts = [_FITS.of(len(match.fitting))] if match.fitting else []
    parts += [REASONS[code].of(number, **facts) for code, number in match.counts.items()]
    return Text(
        f"本市 {match.in_city} 人：{'，'.join(each.zh for each in parts)}",
        f"{match.in_city} in the city: {', '.join(each.en for each in parts)}",
    )


def helps(relaxation: Relaxation) -> Text:
    """What would have to change, and how many could go then; to somebody at a desk."""
    could = _COULD.of(relaxation.could)
    if relaxation.wish == "time":
        at = relaxation.request.starts_at.astimezone(ZoneInfo(relaxation.request.zone)).strftime("%H:%M")
        return Text(f"改到 {at} 开始，{could.zh}", f"Beginning at {at}, {could.en}")
    if relaxation.wish == "sex":
        return Text(f"不限男女，{could.zh}", f"Whether a woman or a man, {could.en}")
    return Text(f"不限语言，{could.zh}", f"Whatever the language, {could.en}")


def lacking(request: Request, missing: Sequence[Against]) -> Text:
    """What somebody in the city would have to have, where no change of one wish helps."""
    if not missing:
        return Text("缺少：本市的人", "Missing: somebody who works in this city")
    facts = _wishes(request)
    parts = [_filled(WHO[code], facts) for code in missing]
    zh = _listed([each.zh for each in parts], "、", "且")
    return Text(f"缺少：{zh}的人", f"Missing: somebody who {_listed([each.en for each in parts], ', ', ' and ')}")


def points(each: Points) -> Text:
    """`knows the place +30`."""
    return Text(f"{POINTS[each.why].zh} {each.points:+d}", f"{POINTS[each.why].en} {each.points:+d}")


def _wishes(request: Request) -> dict[str, Text]:
    facts = dict(_SEXES.get(request.sex or "", {}))
    if request.language is not None:
        facts["language"] = Text(*LANGUAGES[request.language])
    return facts


def _listed(parts: Sequence[str], comma: str, last: str) -> str:
    return last.join(filter(None, (comma.join(parts[:-1]), parts[-1])))


def _filled(words: Text, facts: Mapping[str, Text]) -> Text:
    zh = words.zh.format(**{name: each.zh for name, each in facts.items()})
    return Text(zh, words.en.format(**{name: each.en for name, each in facts.items()}))
