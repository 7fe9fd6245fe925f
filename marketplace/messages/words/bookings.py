"""What customers are told about bookings: taken, changed, cancelled, and how they went."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.catalog.benefit_kind import Message
from marketplace.core.text import Text

WORDS: Mapping[str, Message] = {
    "held": Message(
        Text("时间已为您保留", "A time is held for you"),
        Text(
            "{when}，{where}。请在 {until} 前确认，过时自动释放。",
            "{when}, {where}. Confirm by {until}, or it is released by itself.",
        ),
    ),
    "confirmed": Message(
        Text("预约已确认", "Your booking is confirmed"),
        Text("{what}，{when}，{where}。{bring}", "{what}, {when}, {where}. {bring}"),
    ),
    "rejected": Message(
        Text("{place}无法接受这次预约", "{Place} can't take this booking"),
        Text(
            "{what}，{when}，{where}。权益已全部退回，可以另选时间。{instead}",
            "{what}, {when}, {where}. Your benefit is back in full; choose another time. {instead}",
        ),
    ),
    "changed": Message(
        Text("预约已改期", "Your booking has moved"), Text("现在是 {when}，{where}。", "It is now {when}, {where}.")
    ),
    "change_stands": Message(
        Text("改期没能撤回", "Your change could not be taken back"),
        Text(
            "{place}已按您申请的新时间安排，不能改回原来的时间。现在是 {when}，{where}。您仍可再次改期或取消。",
            "{Place} has you at the new time and can't move you back. Your booking is now {when}, {where}. "
            "You can still change or cancel it.",
        ),
    ),
    "change_refused": Message(
        Text("改期未成功", "The change was not possible"),
        Text("原来的时间不变：{when}，{where}。{instead}", "The date is unchanged: {when}, {where}. {instead}"),
    ),
    "cancel_refused": Message(
        Text("{place}不同意取消", "{Place} did not agree to cancel"),
        Text("预约仍然有效：{when}，{where}。{instead}", "The booking stays: {when}, {where}. {instead}"),
    ),
    "time_proposed": Message(
        Text("{place}建议另一个时间", "{Place} proposes another time"),
        Text("建议改到 {new}；您同意之前，{when} 保持不变。", "It proposes {new}. Until you agree, {when} stays."),
    ),
    "cancelled": Message(
        Text("预约已取消", "Your booking is cancelled"),
        Text("{what}，{when}，{where}。{reason}{instead}", "{what}, {when}, {where}. {reason} {instead}"),
    ),
    "outcome_unknown": Message(
        Text("正在与{place}核实", "We are checking with {place}"),
        Text(
            "{when}，{where}。{place}系统还没有回复，您的时间和权益都保留着，请不要重复预约。",
            "{when}, {where}. Its system is silent so far. Your time and your benefit are reserved: don't book again.",
        ),
    ),
    "command_waiting": Message(
        Text("还没有送达{place}", "Not with {place} yet"),
        Text(
            "{what}，{when}，{where}。{place}系统暂时收不到您的请求，我们会一直重试，有结果就通知您，您不用再操作。",
            "{what}, {when}, {where}. Its system can't take your request for now. We go on trying and tell you how it "
            "ends: there is nothing for you to do.",
        ),
    ),
    "provider_differs": Message(
        Text("{place}的记录与您的预约不一致", "{Place} has your booking differently"),
        Text(
            "您约的是{what}，{when}，{where}。{differs}我们正在与{place}核实，有结果就通知您，出发前请先看这里。",
            "You booked {what}, {when}, {where}. {differs} We are checking with {place} and tell you the outcome: "
            "please look here before you set out.",
        ),
    ),
    "reminder": Message(
        Text("明天有预约", "A booking tomorrow"),
        Text("{what}，{when}，{where}。{prepare}", "{what}, {when}, {where}. {prepare}"),
    ),
    "no_show": Message(
        Text("{place}登记为未到", "{Place} says nobody came"),
        Text(
            "{what}，{when}，{where}。如有误，请在预约页面告诉我们。",
            "{what}, {when}, {where}. If that is wrong, tell us on the booking's page.",
        ),
    ),
    "dispute_answered": Message(
        Text("您的申诉有了答复", "There is an answer to your objection"),
        Text("{what}，{when}，{where}。{verdict}", "{what}, {when}, {where}. {verdict}"),
    ),
    "site_closed": Message(
        Text("机构停业", "A place closes"),
        Text(
            "{where} 停业，{when} 的预约不能保留。{closing}",
            "{where} closes and can't keep your booking of {when}. {closing}",
        ),
    ),
}
