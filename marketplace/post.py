"""Writing and handing over a message: the words in the customer's language, the gateway of its channel."""

from __future__ import annotations

from booking.messages.deliver import Letter, Post
from marketplace import notice_words
from marketplace.core import email, sms
from marketplace.core.config import settings
from marketplace.core.outgoing import Undeliverable


def send(post: Post) -> None:
    """Write the message and hand it to its gateway, under the delivery's key. Raises Undeliverable where this
    installation has no such gateway, else whatever the gateway raises."""
    said, language = _said(post.letter), notice_words.language_of(post.letter.language)
    if post.channel == "sms":
        sms.gateway().send(post.to, notice_words.sms_text(said, post.letter.person, language), key=post.key)
        return
    server = email.backend()
    if server is None:
        raise Undeliverable("no e-mail gateway")
    address = f"{settings().public_url}/notices/{post.letter.notice_id}"
    subject, text = notice_words.email_text(said, post.letter.person, language, address)
    server.send(post.to, subject, text, key=post.key)


def _said(letter: Letter) -> notice_words.Said:
    language = notice_words.language_of(letter.language)
    return notice_words.say(letter.kind, letter.facts, language, told_at=letter.told_at)
