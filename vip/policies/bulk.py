"""Policies as lines of a file: one line is one policy at one version."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final, Literal, cast

from sqlalchemy.orm import Session

from marketplace.core.bulk.cells import Cells, Column
from marketplace.core.bulk.kind import ImportKind, Outcome
from marketplace.core.errors import Invalid
from marketplace.core.text import Text
from vip import phones
from vip.policies import numbers
from vip.policies.facts import GREATEST_VERSION, SELF, STATUSES, InsuredFacts, PolicyFacts, Status
from vip.policies.put import put_policy

MOST_INSURED = 6
"""Insured persons that a line has columns for; a policy with more comes by the insurer's API."""

_STATUS_NAMES: Final = {
    "in_force": Text("有效", "In force"),
    "lapsed": Text("失效", "Lapsed"),
    "surrendered": Text("退保", "Surrendered"),
    "ended": Text("终止", "Ended"),
}
_SEXES: Final = {"male": Text("男", "Male"), "female": Text("女", "Female")}
_RELATIONS: Final = {
    SELF: Text("本人", "Self"),
    "spouse": Text("配偶", "Spouse"),
    "father": Text("父亲", "Father"),
    "mother": Text("母亲", "Mother"),
    "son": Text("儿子", "Son"),
    "daughter": Text("女儿", "Daughter"),
    "father_in_law": Text("岳父/公公", "Father-in-law"),
    "mother_in_law": Text("岳母/婆婆", "Mother-in-law"),
    "other": Text("其他", "Other"),
}
_DAY = Text("写成 2026-02-28", "As 2026-02-28")
_EXAMPLES: Final = (
    ("王芳", "1958-03-07", "female", "本人", ""),
    ("李建国", "1956-11-20", "male", "配偶", ""),
)


def _person(prefix: str, zh: str, en: str, example: tuple[str, ...], *, required: bool) -> tuple[Column, ...]:
    """The columns of one person."""
    name, born, sex, _relation, id_number = example
    return (
        Column(
            f"{prefix}_name", Text(f"{zh}姓名", f"{en}: name"), Text("与证件一致", "As on the ID"), name, required, True
        ),
        Column(f"{prefix}_birth_date", Text(f"{zh}出生日期", f"{en}: birth date"), _DAY, born, required, True),
        Column(
            f"{prefix}_sex",
            Text(f"{zh}性别", f"{en}: sex"),
            Text("男、女", "Male or female"),
            sex and _SEXES[sex].zh,
            required,
            choices=_SEXES,
        ),
        Column(
            f"{prefix}_id_number",
            Text(f"{zh}身份证号", f"{en}: ID number"),
            Text("18 位居民身份证号；没有可不填", "The 18 characters of a mainland ID; may stay blank"),
            id_number,
            False,
            True,
            exact=True,
        ),
    )


def _insured(place: int) -> tuple[Column, ...]:
    """The columns of one insured person; the first is needed."""
    prefix, zh, en, first = f"insured_{place}", f"被保险人{place}", f"Insured {place}", place == 1
    example = _EXAMPLES[place - 1] if place <= len(_EXAMPLES) else ("", "", "", "", "")
    relation = Column(
        f"{prefix}_relation",
        Text(f"{zh}与投保人关系", f"{en}: relation to the holder"),
        Text("投保人自己填“本人”", "Self, where it is the holder"),
        example[3],
        first,
        choices=_RELATIONS,
    )
    return (*_person(prefix, zh, en, example, required=first), relation)


COLUMNS: Final = (
    Column(
        "key",
        Text("保单标识", "Policy key"),
        Text(
            "贵司系统里不变的编号，不能是保单号；同一标识只更新，不会重复",
            "Your system's lasting name of the policy, not its number; the same key updates and never doubles",
        ),
        "P-100245",
        exact=True,
    ),
    Column(
        "version",
        Text("版本", "Version"),
        Text("整数，内容每变一次就加大", "A whole number that grows with each change"),
        "1",
    ),
    Column(
        "number",
        Text("保单号", "Policy number"),
        Text("加密保存", "Stored encrypted"),
        "86-2026-004512",
        True,
        True,
        True,
    ),
    Column(
        "product",
        Text("产品代码", "Product code"),
        Text("字母、数字和 . _ -", "Letters, digits and . _ -"),
        "CARE-LIFE",
        exact=True,
    ),
    Column(
        "product_name_zh", Text("产品名称", "Product name"), Text("客户看到的名称", "What customers read"), "康护终身"
    ),
    Column(
        "product_name_en",
        Text("产品英文名称", "Product name in English"),
        Text("可不填", "May stay blank"),
        "Care for Life",
        False,
    ),
    Column(
        "long_term",
        Text("是否长期险", "Long-term"),
        Text("是、否；有的服务只给长期险", "Yes or no; some services are for long-term policies alone"),
        "是",
    ),
    Column(
        "holder_phone",
        Text("投保人手机号", "Holder's phone"),
        Text("客户用它登录", "The customer signs in with it"),
        "13800000001",
        True,
        True,
    ),
    Column("in_force_from", Text("生效日", "In force from"), _DAY, "2026-01-01"),
    Column(
        "in_force_until",
        Text("到期日", "In force until"),
        Text("含当日；终身的不填", "Included; blank for one without an end"),
        "2056-01-01",
        False,
    ),
    Column(
        "status",
        Text("状态", "Status"),
        Text("有效、失效、退保、终止", "In force, lapsed, surrendered or ended"),
        "有效",
        choices=_STATUS_NAMES,
    ),
    Column(
        "plan",
        Text("权益计划代码", "Plan code"),
        Text("有对应的权益计划才填", "Only where a plan belongs to it"),
        "",
        False,
        exact=True,
    ),
    *(column for place in range(1, MOST_INSURED + 1) for column in _insured(place)),
    *_person("holder", "投保人", "Holder", ("", "", "", "", ""), required=False),
)


def read(cells: Cells) -> PolicyFacts:
    """A line as facts; `facts.checked` says later what they must keep besides."""
    insured = [
        _read_insured(cells, place) for place in range(1, MOST_INSURED + 1) if place == 1 or _there(cells, place)
    ]
    holder = None
    if not cells.blank(*(f"holder_{name}" for name in _NAMED)):
        cells.need(f"holder_{name}" for name in ("name", "birth_date", "sex"))
        holder = _read_person(cells, "holder", SELF)
    return PolicyFacts(
        key=cells.text("key", longest=100),
        version=cells.whole("version", least=1, most=GREATEST_VERSION),
        number=cells.text("number", longest=64),
        product=cells.text("product", longest=40),
        product_name=Text(cells.text("product_name_zh", longest=100), cells.text("product_name_en", longest=100)),
        long_term=cells.yes_or_no("long_term"),
        holder_phone=cells.text("holder_phone", longest=40),
        in_force_from=cells.day("in_force_from"),
        in_force_until=cells.day_or_none("in_force_until"),
        status=cast(Status, cells.choice("status") or STATUSES[0]),
        insured=tuple(insured),
        holder=holder,
        plan=cells.text("plan", longest=40) or None,
    )


_NAMED = ("name", "birth_date", "sex", "id_number")


def _there(cells: Cells, place: int) -> bool:
    return not cells.blank(*(f"insured_{place}_{name}" for name in (*_NAMED, "relation")))


def _read_insured(cells: Cells, place: int) -> InsuredFacts:
    prefix = f"insured_{place}"
    cells.need(f"{prefix}_{name}" for name in ("name", "birth_date", "sex", "relation"))
    return _read_person(cells, prefix, cells.choice(f"{prefix}_relation"))


def _read_person(cells: Cells, prefix: str, relation: str) -> InsuredFacts:
    sex = cast(Literal["male", "female"], cells.choice(f"{prefix}_sex"))
    born = cells.day(f"{prefix}_birth_date")
    number = cells.text(f"{prefix}_id_number", longest=40)
    return InsuredFacts(cells.text(f"{prefix}_name", longest=100), born, sex, relation, number or None)


def apply(session: Session, insurer_id: int, row: PolicyFacts, *, now: datetime, source: str) -> str:
    """Put the policy. Raises Invalid with the column at fault."""
    try:
        return put_policy(session, insurer_id, row, now=now, source=source).outcome
    except Invalid as refused:
        raise Invalid(field=_column(refused.at or "key"), **refused.facts) from refused


def _shares(row: PolicyFacts) -> tuple[str, ...]:
    """One number is one policy, and the holders of two policies with one phone are one customer."""
    phone = row.holder_phone
    with suppress(Invalid):
        phone = phones.normalise(phone)
    return f"number {numbers.spelled(row.number)}", f"phone {phone}"


def _column(at: str) -> str:
    """The column of a field: `insured.0.name` is `insured_1_name`."""
    parts = at.split(".")
    if parts[0] == "insured":
        place = int(parts[1]) + 1 if len(parts) > 1 else 1
        return f"insured_{place}_{parts[2] if len(parts) > 2 else 'name'}"
    return "_".join(parts)


REMEDIES: Final[Mapping[str, Text]] = {
    "version_reused": Text("把版本改成更大的数", "Give it a higher version"),
    "number_taken": Text("核对保单号，或用原来的保单标识", "Check the number, or use the policy's first key"),
    "key_is_number": Text("换成不含保单号的标识", "Use a key that is not the number"),
    "holder_unknown": Text(
        "填上投保人姓名、出生日期和性别；投保人也被保险时，与投保人关系填“本人”",
        "Fill in the holder's name, birth date and sex; a holder who is insured has the relation self",
    ),
    "holder_is_another": Text("核对投保人手机号、姓名和出生日期", "Check the holder's phone, name and birth date"),
    "holder_changed": Text(
        "手机号写错就改正；换了投保人，请终止原保单，再用新标识导入",
        "Correct the phone; where the holder has changed, end this policy and import a new one under a new key",
    ),
    "other_id_number": Text("核对身份证号", "Check the ID number"),
    "policy_erased": Text("从文件里删去这一行", "Take this line out of the file"),
    "insured_twice": Text("同一个人只填一次", "Name each person once"),
    "holder_twice": Text("只有一位填“本人”", "Only one has the relation self"),
    "before_start": Text("核对生效日和到期日", "Check both days"),
    "phone": Text(
        "填 11 位手机号；其他国家的加 + 和国家代码", "Write 11 digits, or + and the country code of another country"
    ),
}
"""What to do about what policies alone are refused for; why is said as the insurer's API says it."""

POLICIES: Final = ImportKind(
    code="policies",
    name=Text("保单", "Policies"),
    about=Text(
        "一行一张保单，含被保险人。同一保单标识按版本更新：内容没变的跳过，旧版本不会覆盖新版本。",
        "One line is one policy with its insured persons. The same key updates by its version: what has not changed is"
        " skipped, and an older version never overwrites a newer one.",
    ),
    columns=COLUMNS,
    read=read,
    key=lambda row: row.key,
    shares=_shares,
    apply=apply,
    outcomes={
        "created": Outcome(Text("新增", "Added")),
        "updated": Outcome(Text("已更新", "Updated")),
        "unchanged": Outcome(Text("没有变化，跳过", "Unchanged, skipped"), changed=False),
        "older": Outcome(Text("版本较旧，跳过", "Older version, skipped"), changed=False),
    },
    remedies=REMEDIES,
)
