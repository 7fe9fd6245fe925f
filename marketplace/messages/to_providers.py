"""What a provider's people are told by e-mail: that an endpoint of their webhooks has stopped."""

from __future__ import annotations

from datetime import UTC, datetime

from booking.webhooks.stopped import StoppedLetter
from marketplace.core.sending import email
from marketplace.core.sending.outgoing import Undeliverable
from marketplace.core.text import Text


def send(letter: StoppedLetter) -> None:
    """Write the message and hand it to the mail server, under its key. Raises Undeliverable where this installation has
    no such server, else whatever the server raises."""
    server = email.backend()
    if server is None:
        raise Undeliverable("no e-mail gateway")
    subject, text = written(letter)
    server.send(letter.to, subject, text, key=letter.key)


def written(letter: StoppedLetter) -> tuple[str, str]:
    """Subject and text, in the contact's language. No path of the address, which may hold a key; no booking."""
    facts = {
        "provider": letter.provider.in_language(letter.language),
        "endpoint": letter.endpoint,
        "host": letter.host,
        "at": _moment(letter.stopped_at),
        "since": _moment(letter.failing_since or letter.stopped_at),
    }
    subject, text = _WORDS[letter.reason]
    return subject.in_language(letter.language).format(**facts), text.in_language(letter.language).format(**facts)


_WORDS = {
    "failing": (
        Text("安享：{provider} 的 Webhook 已暂停", "Anxiang: a webhook of {provider} is paused"),
        Text(
            "{host} 上的接收地址 {endpoint} 自 {since} 起一直没有成功接收，已于 {at} 暂停，不再向其发送。\n\n"
            "期间的事件都保留着。修好后，请先发送测试（POST /partner/v1/webhook-endpoints/{endpoint}/test），"
            '再将其恢复（PUT，"state": "active"），之后会依次补发；也可以随时从 /partner/v1/events 读取。\n'
            "每次发送的结果见 /partner/v1/webhook-endpoints/{endpoint}/deliveries。\n",
            "The endpoint {endpoint} at {host} has taken nothing since {since}, and was paused at {at}: nothing more "
            "is sent to it.\n\n"
            "What happens meanwhile is kept. When the receiver works again, send a test "
            "(POST /partner/v1/webhook-endpoints/{endpoint}/test) and resume the endpoint "
            '(PUT, "state": "active"): all of it follows in order. You can read it from /partner/v1/events as well.\n'
            "What became of each message: /partner/v1/webhook-endpoints/{endpoint}/deliveries.\n",
        ),
    ),
    "gone": (
        Text("安享：{provider} 的 Webhook 已终止", "Anxiang: a webhook of {provider} has ended"),
        Text(
            "{host} 上的接收地址 {endpoint} 于 {at} 回答 410（Gone），已终止，不再向其发送。\n\n"
            "如果并非本意，请删除它并新建一个（POST /partner/v1/webhook-endpoints）；"
            "期间的事件请从 /partner/v1/events 读取。\n",
            "The endpoint {endpoint} at {host} answered 410 (Gone) at {at}, and has ended: nothing more is sent.\n\n"
            "If that was not meant, delete it and add a new one (POST /partner/v1/webhook-endpoints); what happened "
            "meanwhile is in /partner/v1/events.\n",
        ),
    ),
}


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
