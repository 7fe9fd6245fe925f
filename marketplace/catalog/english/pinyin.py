"""The pinyin of Chinese names, with the readings that names of places and hospitals need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from marketplace.core.once import once

_HAN = re.compile(r"[㐀-鿿]+")

# Readings that the general dictionary has otherwise. Not by load_single_dict() and load_phrases_dict(): each reads all
# 47,000 phrases once more, a fifth of a second of every start.
_READINGS = {
    "单县": [["shàn"], ["xiàn"]],
    "曾都": [["zēng"], ["dū"]],
    "重医": [["chóng"], ["yī"]],
    "重钢": [["chóng"], ["gāng"]],
    "长征": [["cháng"], ["zhēng"]],
    "长甸": [["cháng"], ["diàn"]],
    "长大": [["cháng"], ["dà"]],
    "长宁": [["cháng"], ["níng"]],
    "长阳": [["cháng"], ["yáng"]],
    "长安": [["cháng"], ["ān"]],
}
# Places whose reading is their own, one syllable a character.
_PLACES = (
    "大城 dai cheng|大埔 da bu|尉氏 wei shi|尉犁 yu li|蔚县 yu xian|莘县 shen xian|铅山 yan shan|洪洞 hong tong|"
    "繁峙 fan shi|华阴 hua yin|华县 hua xian|渑池 mian chi|浚县 xun xian|柘城 zhe cheng|荥阳 xing yang|荥经 ying jing|"
    "犍为 qian wei|筠连 jun lian|会理 hui li|会泽 hui ze|会昌 hui chang|歙县 she xian|枞阳 zong yang|六合 lu he|"
    "六安 lu an|六枝 liu zhi|番禺 pan yu|牟平 mu ping|中牟 zhong mu|东阿 dong e|长子县 zhang zi xian|佛坪 fo ping|"
    "行唐 xing tang|井陉 jing xing|涡阳 guo yang|秭归 zi gui|硚口 qiao kou|猇亭 xiao ting|监利 jian li|于都 yu du|"
    "乐清 yue qing|乐亭 lao ting|乐陵 lao ling|乐山 le shan|乐平 le ping|乐昌 le chang|乐东 le dong|乐安 le an|"
    "台州 tai zhou|丽水 li shui|亳州 bo zhou|蚌埠 beng bu|泌阳 bi yang|厦门 xia men|重庆 chong qing|长葛 chang ge|"
    "长垣 chang yuan|长治 chang zhi|长汀 chang ting|长乐 chang le|长兴 chang xing|长海 chang hai|长泰 chang tai|"
    "长丰 chang feng|长岭 chang ling|长清 chang qing|长寿 chang shou|长沙 chang sha|长春 chang chun|长白 chang bai|"
    "长武 chang wu|长顺 chang shun|长岛 chang dao|阿城 a cheng|兴县 xing xian|解州 xie zhou|洗马 xi ma|"
    "任县 ren xian|任丘 ren qiu|任城 ren cheng|盛泽 sheng ze|朝阳 chao yang|朝天 chao tian|都昌 du chang|"
    "都匀 du yun|都江堰 du jiang yan|宁都 ning du|曲阜 qu fu|曲靖 qu jing|曲江 qu jiang|曲阳 qu yang|曲周 qu zhou|"
    "沁源 qin yuan|柏乡 bai xiang|隆尧 long yao|郏县 jia xian|郧西 yun xi|石柱 shi zhu|万州 wan zhou|"
    "藏医 zang yi|西藏 xi zang|红会 hong hui|调兵山 diao bing shan|什邡 shi fang|洮南 tao nan|珲春 hui chun|"
    "桦甸 hua dian|嵊州 sheng zhou|嵊泗 sheng si|鄞州 yin zhou|瓯海 ou hai|芗城 xiang cheng|浉河 shi he|瀍河 chan he|"
    "殷都 yin du|成都 cheng du|大都 da du|花都 hua du|新都 xin du|丰都 feng du|武都 wu du|盐都 yan du|尧都 yao du|"
    "于洪 yu hong|单城 shan cheng|仇池 qiu chi|覃塘 qin tang|冼村 xian cun|南大 nan da|"
    "漯河 luo he|宕昌 tan chang|行知 xing zhi"
)


@once
def _read() -> Callable[[str], list[str]]:
    """Reads characters as syllables. The dictionary is loaded by who spells first: processes that spell nothing do
    without."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT  # noqa: PLC0415
    from pypinyin.seg import mmseg  # noqa: PLC0415

    readings = dict(_READINGS)
    for line in _PLACES.split("|"):
        name, _, spelled = line.partition(" ")
        readings[name] = [[part] for part in spelled.split(" ")]
    PINYIN_DICT[ord("长")] = "cháng,zhǎng"
    PHRASES_DICT.update(readings)
    mmseg.seg.train(iter(readings))
    return lazy_pinyin


def syllables(name: str) -> list[str]:
    """The pinyin of a normalised name, one syllable a character; other runs of letters and digits as they are."""
    result: list[str] = []
    for part in re.findall(r"[㐀-鿿]+|[a-z0-9]+", name):
        result.extend(_read()(part) if _HAN.fullmatch(part) else [part])
    return result


def spelled(name: str) -> str:
    """A Chinese name in Latin letters as one word: Xi'an, Lu'an, Chongqing. Other letters and digits stay."""
    words = [
        _joined(_read()(part)) if _HAN.fullmatch(part) else part.strip()
        for part in re.findall(r"[㐀-鿿]+|[^㐀-鿿]+", name)
    ]
    return " ".join(word for word in words if word)


def _joined(parts: Iterable[str]) -> str:
    """The syllables as one word with a capital; an apostrophe parts one that begins with a vowel."""
    word = ""
    for part in (re.sub("^([ln])v", "\\1ü", each) for each in parts):
        word += "'" + part if word and part[:1] in "aoe" else part
    return word[:1].upper() + word[1:]
