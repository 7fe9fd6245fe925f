"""Encryption of personal data.

- AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The additional data names the record, so that a
  ciphertext moved to another row does not open.
- What is sealed under a master key begins with a header that names the key and is part of the additional data. What
  is older, or under a key given without an id, has none. Which of the two a ciphertext is, its authentication tag
  decides and never its first bytes.
- `blind_index`: keyed HMAC-SHA-256 for looking up a phone or ID number without storing it readable.
- Per-person and per-report data keys are wrapped by the master key; destroying the wrapped key destroys the data.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from marketplace.core import integrity
from marketplace.core.config import settings
from marketplace.core.errors import Refusal
from marketplace.core.keyring import Key

HEADER = b"\x00AXK\x01"
"""Then one byte with the length of the key's id, the id, and nonce + ciphertext + tag. No record's name begins with a
zero byte, so additional data with a header never equals additional data without one."""

_NONCE = 12


class Unreadable(Refusal):
    """A record's ciphertext does not open: it was changed, moved to another record, or its key was destroyed or taken
    away. `record` names it; it goes to operators, never into the answer."""

    code = "record_unreadable"
    status = 503

    def __init__(self, record: str) -> None:
        super().__init__()
        self.record = record

    def __str__(self) -> str:
        return self.record


def seal(plain: bytes, *, key: bytes, record: str) -> bytes:
    """Encrypt `plain` for the record named `record`; returns nonce + ciphertext + tag."""
    return _encrypt(plain, key, record.encode())


def unseal(sealed: bytes, *, key: bytes, record: str) -> bytes:
    """Decrypt what `seal` made for the same record. Raises Unreadable, after an integrity alarm."""
    plain = _decrypt(sealed, key, record.encode())
    if plain is None:
        raise _damaged(record)
    return plain


def new_wrapped_key(record: str) -> bytes:
    """A new data key of 32 bytes, wrapped by the master key for `record`."""
    return _seal_master(secrets.token_bytes(32), wrapping(record))


def unwrap_key(wrapped: bytes | None, record: str) -> bytes:
    """The data key of `record`. Raises Unreadable: when it was destroyed (`wrapped` is None) without, else after an
    integrity alarm."""
    if wrapped is None:
        raise Unreadable(record)
    return _open_or_alarm(wrapped, wrapping(record))


def wrapping(record: str) -> str:
    """The name that the wrapped key of `record` is sealed for."""
    return f"key:{record}"


def seal_master(plain: str, record: str) -> bytes:
    """Encrypt a short text (a phone number, a provider's secret) under the master key, bound to `record`."""
    return _seal_master(plain.encode(), record)


def unseal_master(sealed: bytes, record: str, *, stored: bool = True) -> str:
    """Decrypt what `seal_master` made. Raises Unreadable, after an integrity alarm where it was `stored` by us; what a
    browser brings back may be anything."""
    if stored:
        return _open_or_alarm(sealed, record).decode()
    opened = open_master(sealed, record)
    if opened is None:
        raise Unreadable(record)
    return opened[1].decode()


def open_master(sealed: bytes, record: str) -> tuple[str, bytes] | None:
    """The id of the master key under which `sealed` opens for `record`, with what it holds; None if it opens under
    none. For counting and rewrapping; raises no alarm."""
    for key in settings().master_keys:
        head = header(key.id)
        plain = _decrypt(sealed[len(head) :], key.secret, head + record.encode()) if sealed.startswith(head) else None
        if plain is not None:
            return key.id, plain
    for key in settings().master_keys:
        plain = _decrypt(sealed, key.secret, record.encode())
        if plain is not None:
            return key.id, plain
    return None


def is_current(sealed: bytes, record: str) -> bool:
    """Whether it opens under the current master key, in the form that is written now."""
    key = settings().master_keys[0]
    head = _head(key)
    return sealed.startswith(head) and _decrypt(sealed[len(head) :], key.secret, head + record.encode()) is not None


def reseal(sealed: bytes, record: str) -> bytes | None:
    """The same under the current master key; None if it opens under none."""
    opened = open_master(sealed, record)
    return None if opened is None else _seal_master(opened[1], record)


def header(key_id: str) -> bytes:
    """What a ciphertext under that master key begins with."""
    return HEADER + bytes([len(key_id)]) + key_id.encode()


def _head(key: Key) -> bytes:
    return header(key.id) if key.named else b""


def blind_index(value: str, purpose: str) -> bytes:
    """A keyed fingerprint (32 bytes) of `value`, different for every purpose: what is stored for something new."""
    return _fingerprint(value, purpose, settings().index_keys[0])


def blind_indexes(value: str, purpose: str) -> tuple[bytes, ...]:
    """The fingerprints of `value` under all live index keys, the current one's first: what is stored is looked for
    under each."""
    return tuple(_fingerprint(value, purpose, key) for key in settings().index_keys)


def token_hash(token: str) -> bytes:
    """What is stored of a bearer token. Tokens carry 256 random bits, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _fingerprint(value: str, purpose: str, key: Key) -> bytes:
    return hmac.digest(key.secret, f"{purpose}\0{value}".encode(), hashlib.sha256)


def _seal_master(plain: bytes, record: str) -> bytes:
    key = settings().master_keys[0]
    head = _head(key)
    return head + _encrypt(plain, key.secret, head + record.encode())


def _open_or_alarm(sealed: bytes, record: str) -> bytes:
    opened = open_master(sealed, record)
    if opened is None:
        raise _damaged(record)
    return opened[1]


def _damaged(record: str) -> Unreadable:
    integrity.alarm(record)
    return Unreadable(record)


def _encrypt(plain: bytes, key: bytes, additional: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, additional)


def _decrypt(sealed: bytes, key: bytes, additional: bytes) -> bytes | None:
    """What is sealed, or None if the tag says otherwise."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], additional)
    except (InvalidTag, ValueError):
        return None
