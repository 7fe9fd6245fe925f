"""The customer's account: consent, data, family, phone, sign-in."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from booking.personal.erase import Stays
from marketplace.web.account.consent import ConsentPage
from marketplace.web.account.data import CopyLine, MyData
from marketplace.web.account.me import Me, SessionLine
from marketplace.web.benefits.usage_page import Usage, UsageLine
from marketplace.web.parts import Code, Form
from marketplace.web.staying import InTheWay, Staying, staying
from tests.marketplace.web.samples.everyday import NOW, Context, at, people, zh_en
from tests.marketplace.web.samples.home import benefits


def consent(state: str) -> Context:
    given = at(11, 20, 9) if state == "given" else None
    error = {} if given else {"phone": zh_en("这是您自己的号码，验证码须发到对方的手机。", "This is your own number.")}
    told = at(11, 24, 9) if state != "missing" else None
    return {"page": ConsentPage(people()[1], state, given, told), "form": Form({"phone": "13800002041"}, error)}


def consent_back(step: str) -> Context:
    told = {"code": zh_en("验证码为 6 位数字。", "The code has six digits.")} if step == "code" else {}
    return {"step": step, "form": Form({"phone": "13900000001"}, told), "length": 6}


def consent_code() -> Context:
    code = Code("139****0001", 5, 42, 5)
    return {"page": ConsentPage(people()[1], "missing"), "form": Form(), "code": code}


def me() -> Context:
    sessions = (
        SessionLine("s1", zh_en("浏览器", "Browser"), NOW, True),
        SessionLine("s2", zh_en("应用", "App"), NOW - timedelta(days=3)),
    )
    return {
        "page": Me(
            people()[0].name,
            zh_en("尊享计划，至 2031 年 5 月 8 日", "Premier plan, until 8 May 2031"),
            "138****2041",
            people(),
            sessions,
            "沈",
        )
    }


def my_data(recent: bool = True) -> Context:
    ready = CopyLine("cpy_1", "ready", at(11, 20, 9), at(11, 27, 9), "3.4 MB")
    failed = CopyLine("cpy_2", "failed", at(11, 19, 9), None, "1 kB")
    return {"page": MyData((ready, failed), recent, False, removed=people()[1:2]), "problem": ""}


def left() -> tuple[Staying, ...]:
    return staying((Stays("process", date(2029, 3, 10)), Stays("medical", date(2041, 3, 10)), Stays("books", None)))


def erase(recent: bool = True, booked: bool = False) -> Context:
    told = zh_en("没有删除任何数据：预约 AX7K2M914Q 仍在进行。", "Nothing was deleted: AX7K2M914Q is under way.")
    return {
        "name": "" if recent else people()[1].name,
        "here": "#",
        "staying": () if booked else left(),
        "under_way": (InTheWay("b1", "AX 7K2 9143"),) if booked else (),
        "recent": recent,
        "problem": told if booked else "",
    }


def family_new() -> Context:
    form = Form(
        {"name": zh_en("沈伯年", "Shen Bonian"), "id_number": "3301021954031200"},
        {"id_number": zh_en("还差 2 位，身份证号一共 18 位。", "Two digits are missing. An ID number has 18.")},
    )
    relations = (
        ("father", zh_en("父亲", "Father")),
        ("mother", zh_en("母亲", "Mother")),
        ("spouse", zh_en("配偶", "Spouse")),
        ("child", zh_en("子女", "Child")),
    )
    return {"form": form, "relations": relations, "next_url": ""}


def phone(step: str) -> Context:
    code = Code("139****7755", 5, 40) if step == "codes" else None
    errors = {
        "old_code": zh_en("这不是我们发出的验证码，还可以试 3 次。", "That is not the code we sent. Tries left: 3.")
    }
    form = Form(errors=errors if step == "codes" else {})
    return {"step": step, "form": form, "code": code, "current": "138****2041"}


def family_remove(problem: bool = False) -> Context:
    told = zh_en("她还有一个预约，请先取消。", "A booking is for this person. Cancel it first.") if problem else ""
    return {"person": people()[1], "problem": told}


def usage() -> Context:
    def line(
        moment: datetime, zh: str, en: str, change: str, left: int, gain: bool = False, booked: bool = False
    ) -> UsageLine:
        return UsageLine(
            moment,
            zh_en(zh, en),
            change,
            left,
            zh_en("健康体检", "Health check"),
            "#" if booked else "",
            "AX7K2M914Q" if booked else "",
            gain,
        )

    lines = (
        line(
            at(11, 20, 19, 42),
            "为父亲预约 11 月 26 日体检，占用 1 次",
            "Kept for your father's check on 26 November",
            "−1",
            1,
            booked=True,
        ),
        line(
            at(8, 12, 16, 5),
            "医院取消了 8 月 20 日的体检，退回 1 次",
            "The hospital cancelled 20 August; given back",
            "+1",
            2,
            gain=True,
            booked=True,
        ),
        line(at(1, 1, 0), "年度发放 2 次", "Granted for the year", "+2", 2, gain=True),
    )
    return {"page": Usage(zh_en("健康体检的使用记录", "History of health checks"), lines, benefits()[0])}


def sign_in(error: bool = False) -> Context:
    form = (
        Form(
            {"phone": "1380013"},
            {"phone": zh_en("还差 4 位，手机号一共 11 位。", "Four digits are missing. A mobile number has 11.")},
        )
        if error
        else Form()
    )
    return {"form": form, "next_url": ""}


def arriving(other: bool = False) -> Context:
    insurer = zh_en("长青人寿保险股份有限公司", "Evergreen Life Insurance Company Limited")
    return {"insurer": insurer, "same_customer": not other, "token": "Kq0vWm2Yx8nB1sT6.uRzL3cJ9"}


def arriving_over(signed_in: bool = True) -> Context:
    return {"signed_in": signed_in}


def sign_in_code() -> Context:
    form = Form({}, {"code": zh_en("验证码不对，请再看一下短信。", "That's not the code. Look at the message again.")})
    text = zh_en("【安享】验证码 402817，5 分钟内有效。", "Anxiang: your code is 402817, good for 5 minutes.")
    return {"form": form, "code": Code("138****2041", 3, 42), "next_url": "", "printed": text}
