"""Writing and handing over a message: the words in the customer's language, the gateway of its channel."""

from __future__ import annotations

from booking.messages.deliver import Letter, Post
from marketplace.core.config import settings
from marketplace.core.sending import email, sms
from marketplace.core.sending.outgoing import Undeliverable
from marketplace.core.text import language_of
from marketplace.messages import compose


def send(post: Post) -> None:
    """Write the message and hand it to its gateway, under the delivery's key. Raises Undeliverable where this
    installation has no such gateway, else whatever the gateway raises."""
    said, language = _said(post.letter), language_of(post.letter.language)
    if post.channel == "sms":
        sms.gateway().send(post.to, compose.sms_text(said, post.letter.person, language), key=post.key)
        return
    server = email.backend()
    if server is None:
        raise Undeliverable("no e-mail gateway")
    address = f"{settings().public_url}/notices/{post.letter.notice_id}"
    subject, text = compose.email_text(said, post.letter.person, language, address)
    server.send(post.to, subject, text, key=post.key)


def _said(letter: Letter) -> compose.Said:
    language = language_of(letter.language)
    return compose.say(letter.kind, letter.facts, language, as_of=letter.as_of)
