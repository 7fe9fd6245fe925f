"""Customers and accounts."""

from __future__ import annotations

from marketplace.web.parts import Form
from tests.marketplace.web.samples.account import left
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import Context, at, zh_en
from vip.customers.blocking import CustomerStatus


def console_password() -> Context:
    errors = {"new": zh_en("这个密码太容易被猜到，请换一个更长的。", "This password is too easy to guess.")}
    return console_page("password", form=Form(errors=errors))


def console_customers() -> Context:
    errors = {"phone": zh_en("没有客户使用这个手机号。", "No customer has this phone.")}
    return console_page("customers", form=Form({"phone": "13800000099"}, errors))


def console_customer(blocked: bool = False) -> Context:
    name = zh_en("沈若兰", "Shen Ruolan")
    return console_page(
        "customers", page=CustomerStatus("cus_1", name, "138****0021", at(11, 20, 9) if blocked else None), problem=None
    )


def console_erase() -> Context:
    return console_page("customers", customer="cus_1", whose="沈**", staying=left(), problem="")
