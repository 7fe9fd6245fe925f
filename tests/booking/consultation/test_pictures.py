"""Pictures of a conversation: written anew, sealed, and nothing beside them."""

from __future__ import annotations

import random
import struct
import uuid
import zlib
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select

from booking.consultation import pictures
from booking.consultation.close import close
from booking.consultation.intake.bounds import LARGEST, STORED_SIDE, THUMBNAIL_SIDE
from booking.consultation.models import ConversationMessage, ConversationPicture
from booking.consultation.pictures import Sent, TooManyPictures, clinician_shows, customer_shows, examine, picture_of
from booking.consultation.read import SHOWN, messages_after
from booking.consultation.say import ConversationClosed, Message, MessageIdReused, Said, customer_says
from booking.consultation.summary import Summary
from marketplace.core.audit import AuditLine
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, TooMany
from tests.booking.consultation.rooms import Practice, make_practice
from tests.people import NOON
from tests.pictures import make_picture, seen, whereabouts, written

RED, BLUE = (220, 40, 20), (20, 40, 220)


@pytest.fixture
def practice(db: object) -> Practice:
    return make_practice()


@pytest.fixture
def conversation(practice: Practice) -> str:
    return practice.open().conversation


def show(practice: Practice, conversation: str, content: bytes, *, key: str | None = None) -> Message:
    return customer_shows(practice.world.principal, conversation, Sent(key or str(uuid.uuid4()), content), now=NOON)


def only_picture(practice: Practice, conversation: str) -> str:
    [it] = [
        each.picture for each in messages_after(practice.world.principal, conversation, 0, now=NOON) if each.picture
    ]
    return it.id


def near(found: object, meant: tuple[int, int, int]) -> bool:
    assert isinstance(found, tuple)
    return all(abs(one - other) < 30 for one, other in zip(found, meant, strict=True))


def stored() -> tuple[int, int]:
    with reading() as session:
        return len(session.scalars(select(ConversationMessage.id)).all()), len(
            session.scalars(select(ConversationPicture.id)).all()
        )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.usefixtures("examiners_anew")
def test_a_picture_is_taken_and_shown_to_both_sides(practice: Practice, conversation: str, kind: str) -> None:
    message = show(practice, conversation, make_picture(kind, 640, 480))
    [view] = messages_after(practice.clinician, conversation, 0, now=NOON)

    assert (view.id, view.kind, view.text) == (message.public_id, "picture", None)
    assert view.picture is not None and (view.picture.width, view.picture.height) == (640, 480)
    large, small = (
        seen(picture_of(who, conversation, view.picture.id, now=NOON, thumbnail=thumbnail))
        for who, thumbnail in ((practice.clinician, False), (practice.world.principal, True))
    )
    assert (large.format, large.size, small.format, small.size) == ("JPEG", (640, 480), "JPEG", (320, 240))
    assert near(large.getpixel((100, 100)), RED) and near(large.getpixel((500, 100)), BLUE)


def test_where_and_by_whom_it_was_taken_is_gone_and_it_stands_upright() -> None:
    exif = whereabouts(orientation=6)  # the camera was turned: what was its left is the top
    sent = make_picture("JPEG", 640, 480, exif=exif.tobytes(), comment=b"of Shen Jingyi")
    assert b"Shen Jingyi" in sent and Image.open(BytesIO(sent)).getexif().get_ifd(0x8825)
    examined = examine(sent)

    for content in (examined.large, examined.small):
        assert b"Exif" not in content and b"Shen Jingyi" not in content
        picture = Image.open(BytesIO(content))
        assert dict(picture.getexif()) == {} and set(picture.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
        }
    upright = seen(examined.large)
    assert upright.size == (480, 640)
    assert near(upright.getpixel((240, 100)), RED) and near(upright.getpixel((240, 540)), BLUE)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_exif_of_the_other_types_is_gone_too(kind: str) -> None:
    sent = make_picture(kind, exif=whereabouts().tobytes())
    assert b"Shen Jingyi" in sent
    assert b"Shen Jingyi" not in examine(sent).large


def test_what_hides_behind_a_picture_is_left_out() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        examined = examine(make_picture(kind) + b"<script>alert(1)</script>PK\x03\x04")
        assert b"script" not in examined.large + examined.small


def test_a_large_picture_becomes_small_enough_and_a_small_one_stays() -> None:
    examined = examine(make_picture("JPEG", 5_000, 3_000))
    assert (examined.width, examined.height) == (STORED_SIDE, 1_229)
    assert max(seen(examined.small).size) == THUMBNAIL_SIDE
    assert examine(make_picture("PNG", 3, 2)).width == 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_colour_becomes_a_plain_picture(mode: str) -> None:
    picture = Image.new("I;16", (8, 8), 65_535) if mode == "I;16" else Image.new("RGB", (8, 8), "white").convert(mode)
    examined = examine(written(picture, "JPEG" if mode == "CMYK" else "PNG"))
    assert near(seen(examined.large).getpixel((4, 4)), (255, 255, 255))


def test_what_is_transparent_is_white_not_black() -> None:
    examined = examine(written(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG"))
    assert near(seen(examined.large).getpixel((4, 4)), (255, 255, 255))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _bomb(side: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(bytes(4096)))
        + _chunk(b"IEND", b"")
    )


NOISE = random.Random(1).randbytes(5_000)
REFUSED = {
    "nothing": (b"", "required"),
    "more than may be": (b"\xff\xd8\xff" + bytes(LARGEST), "picture_large"),
    "a bomb": (_bomb(19_000), "picture_pixels"),
    "a longer side than may be": (make_picture("PNG", 20_001, 1), "picture_pixels"),
    "of Apple": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "picture_heic"),
    "a GIF": (make_picture("GIF"), "picture_type"),
    "a TIFF": (make_picture("TIFF"), "picture_type"),
    "a page": (b"<html>", "picture_type"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture_type"),
    "a cut JPEG": (make_picture("JPEG", 640, 480)[:3_000], "picture_broken"),
    "a cut PNG": (make_picture("PNG", 640, 480)[:300], "picture_broken"),
    "a cut WebP": (make_picture("WEBP", 640, 480)[:200], "picture_broken"),
    "noise that begins as a JPEG": (b"\xff\xd8\xff\xe0" + NOISE, "picture_broken"),
    "noise that begins as a PNG": (b"\x89PNG\r\n\x1a\n" + NOISE, "picture_broken"),
    "noise that begins as a WebP": (b"RIFF\0\x20\0\0WEBPVP8 " + NOISE, "picture_broken"),
    "a PNG that says it is a JPEG": (b"\xff\xd8\xff" + make_picture("PNG"), "picture_broken"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_picture_is_refused_and_nothing_of_it_stays(
    practice: Practice, conversation: str, what: str
) -> None:
    content, reason = REFUSED[what]
    with pytest.raises(Invalid) as refused:
        show(practice, conversation, content)
    assert (refused.value.at, refused.value.facts["reason"]) == ("picture", reason)
    assert stored() == (0, 0)


def test_a_picture_that_is_sent_again_is_the_same_and_is_not_looked_at_again(
    practice: Practice, conversation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = show(practice, conversation, make_picture(), key="message-1")
    monkeypatch.setattr(pictures, "COMMAND", ("false",))
    again = show(practice, conversation, make_picture(), key="message-1")

    assert (again.public_id, again.seq, again.replayed) == (first.public_id, 1, True)
    with pytest.raises(MessageIdReused):
        show(practice, conversation, make_picture("PNG"), key="message-1")
    with pytest.raises(MessageIdReused):
        customer_says(practice.world.principal, conversation, Said("message-1", "words"), now=NOON)
    assert stored() == (1, 1)


def test_the_first_picture_of_a_clinician_is_an_answer(practice: Practice, conversation: str) -> None:
    practice.ask(conversation, "嗓子疼")
    message = clinician_shows(practice.clinician, conversation, Sent("message-1", make_picture()), now=NOON)
    assert message.seq == 2
    assert messages_after(practice.world.principal, conversation, 1, now=NOON)[0].author == "clinician"


def test_nothing_is_shown_in_a_closed_conversation(
    practice: Practice, conversation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice.answer(conversation, "你好")
    close(practice.clinician, conversation, Summary("小结"), now=NOON)
    monkeypatch.setattr(pictures, "COMMAND", ("false",))  # it is refused before anybody looks at it
    with pytest.raises(ConversationClosed):
        show(practice, conversation, make_picture())


def test_a_conversation_holds_so_many_pictures_and_no_more(
    practice: Practice, conversation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_PICTURES", 1)
    show(practice, conversation, make_picture())
    with pytest.raises(TooManyPictures):
        show(practice, conversation, make_picture("PNG"))
    monkeypatch.setattr(pictures, "_known", lambda *_what: None)  # both were looked at before either was stored
    with pytest.raises(TooManyPictures):
        show(practice, conversation, make_picture("PNG"))
    assert stored() == (1, 1)


def test_while_others_are_examined_the_next_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures._examiners, "acquire", lambda **_how: False)
    with pytest.raises(TooMany):
        examine(make_picture())


def test_an_examiner_that_lies_is_not_believed() -> None:
    good = b'{"width": 1, "height": 1, "sizes": [5, 5]}\n\xff\xd8\xff\xff\xd9\xff\xd8\xff\xff\xd9'
    assert pictures._understood(good).width == 1
    for told, instead in (
        (b'"width": 1', b'"width": 0'),
        (b'"width": 1', b'"width": 2049'),
        (b"[5, 5]", b"[5, 4]"),
        (b"[5, 5]", b"[10, 0]"),
        (b"\n\xff\xd8", b"\n<h"),
        (b'{"width"', b'{"wide"'),
    ):
        with pytest.raises(pictures.FileRefused):
            pictures._understood(good.replace(told, instead))


def test_somebody_elses_picture_is_absent_even_by_its_id(practice: Practice, conversation: str) -> None:
    other = make_practice(phone="13800000022")
    theirs = other.open().conversation
    show(practice, conversation, make_picture())
    picture = only_picture(practice, conversation)

    for who, where in (
        (other.world.principal, conversation),
        (other.world.principal, theirs),
        (other.clinician, conversation),
        (practice.world.principal, theirs),
    ):
        with pytest.raises(NotFound):
            picture_of(who, where, picture, now=NOON)


def test_a_look_of_a_clinician_is_a_line_of_the_audit(practice: Practice) -> None:
    opened = practice.open()
    show(practice, opened.conversation, make_picture())
    picture = only_picture(practice, opened.conversation)
    picture_of(practice.world.principal, opened.conversation, picture, now=NOON)
    for minutes in (0, 1):
        at = NOON + timedelta(minutes=minutes)
        picture_of(practice.clinician, opened.conversation, picture, now=at, thumbnail=True)

    with reading() as session:
        lines = session.scalars(select(AuditLine.actor).where(AuditLine.action == SHOWN)).all()
    assert lines == [practice.clinician.public_id]


def test_a_stored_picture_is_sealed_and_opens_nowhere_else(practice: Practice, conversation: str) -> None:
    content = make_picture()
    show(practice, conversation, content)
    show(practice, conversation, make_picture("PNG"))
    with transaction() as session:
        first, second = session.scalars(select(ConversationPicture).order_by(ConversationPicture.id)).all()
        assert not first.sealed.startswith(b"\xff\xd8") and b"JFIF" not in first.sealed + first.thumbnail_sealed
        second.sealed = first.sealed
        names = (first.public_id, second.public_id)
    picture_of(practice.world.principal, conversation, names[0], now=NOON)
    with pytest.raises(Unreadable):
        picture_of(practice.world.principal, conversation, names[1], now=NOON)
