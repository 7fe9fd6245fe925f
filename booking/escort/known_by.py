"""By what the right strangers know each other in a crowd: a safe word that both are shown and that she says
first who was sent, and a code that the customer alone has.

The words are two characters, spoken easily and told apart by ear: no two of them sound alike when tones are left out.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy.orm import Session

from booking.escort.models import EscortAssignment
from booking.escort.records import code_record, safe_word_record
from booking.models import Booking
from booking.sealing import open_words, seal_words
from marketplace.core.crypto import Unreadable
from vip.customers.person_keys import PROCESS, WrappedKey, key_of
from vip.models import Beneficiary

PINYIN = {
    "春风": "chūnfēng",
    "明月": "míngyuè",
    "青山": "qīngshān",
    "大海": "dàhǎi",
    "白云": "báiyún",
    "红花": "hónghuā",
    "松树": "sōngshù",
    "小河": "xiǎohé",
    "金鱼": "jīnyú",
    "苹果": "píngguǒ",
    "西瓜": "xīguā",
    "葡萄": "pútao",
    "樱桃": "yīngtáo",
    "橘子": "júzi",
    "核桃": "hétao",
    "豆腐": "dòufu",
    "米饭": "mǐfàn",
    "面包": "miànbāo",
    "蜂蜜": "fēngmì",
    "花茶": "huāchá",
    "石榴": "shíliu",
    "荷叶": "héyè",
    "竹林": "zhúlín",
    "梅花": "méihuā",
    "兰草": "láncǎo",
    "桂香": "guìxiāng",
    "向阳": "xiàngyáng",
    "彩虹": "cǎihóng",
    "星光": "xīngguāng",
    "晨露": "chénlù",
    "喜鹊": "xǐquè",
    "燕子": "yànzi",
    "蝴蝶": "húdié",
    "熊猫": "xióngmāo",
    "骆驼": "luòtuo",
    "白鹅": "bái'é",
    "海豚": "hǎitún",
    "孔雀": "kǒngquè",
    "帆船": "fānchuán",
    "灯笼": "dēnglong",
    "钟楼": "zhōnglóu",
    "长城": "chángchéng",
    "黄河": "huánghé",
    "泰山": "tàishān",
    "江南": "jiāngnán",
    "雪原": "xuěyuán",
    "温泉": "wēnquán",
    "故乡": "gùxiāng",
    "书包": "shūbāo",
    "铅笔": "qiānbǐ",
    "剪纸": "jiǎnzhǐ",
    "风筝": "fēngzheng",
    "象棋": "xiàngqí",
    "琵琶": "pípa",
    "笛声": "díshēng",
    "歌谣": "gēyáo",
    "草帽": "cǎomào",
    "晴天": "qíngtiān",
    "棉袄": "mián'ǎo",
    "手表": "shǒubiǎo",
    "平安": "píng'ān",
    "团圆": "tuányuán",
    "吉祥": "jíxiáng",
    "如意": "rúyì",
    "丰收": "fēngshōu",
    "欢喜": "huānxǐ",
    "安康": "ānkāng",
    "顺风": "shùnfēng",
}
"""Each word and how it is said, for readers of English."""


@dataclass(frozen=True)
class SafeWord:
    """Two Chinese characters and their pinyin, with tones."""

    word: str
    pinyin: str


@dataclass(frozen=True)
class Sealed:
    """Both, as they are stored."""

    safe_word: bytes
    code: bytes


def new_words(key: WrappedKey, assignment: str) -> Sealed:
    """A new word and a new code of four digits for an assignment (public id), under the person's process key."""
    word, code = secrets.choice(list(PINYIN)), f"{secrets.randbelow(10_000):04}"
    return Sealed(seal_words(word, key, safe_word_record(assignment)), seal_words(code, key, code_record(assignment)))


def safe_word(session: Session, row: EscortAssignment) -> SafeWord | None:
    """What both say; None once it is forgotten."""
    said = _opened(session, row, row.safe_word_sealed, safe_word_record(row.public_id))
    return None if said is None else SafeWord(said, PINYIN.get(said, ""))


def code(session: Session, row: EscortAssignment) -> str | None:
    """The customer's code, for her page and for comparing: a worker is never shown it. None once it is forgotten."""
    return _opened(session, row, row.code_sealed, code_record(row.public_id))


def _opened(session: Session, row: EscortAssignment, sealed: bytes | None, record: str) -> str | None:
    if sealed is None:
        return None
    person = session.get_one(Beneficiary, session.get_one(Booking, row.booking_id).beneficiary_id)
    try:
        return open_words(sealed, key_of(session, person, PROCESS), record)
    except Unreadable:
        return None
