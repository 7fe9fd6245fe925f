"""Encryption of personal data.

- AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The additional data names the record, so that a
  ciphertext moved to another row does not open.
- `blind_index`: keyed HMAC-SHA-256 for looking up a phone or ID number without storing it readable.
- Per-person and per-report data keys are wrapped by the master key; destroying the wrapped key destroys the data.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from marketplace.core.config import settings

_NONCE = 12


class Unreadable(Exception):
    """The ciphertext was changed, moved to another record, or its key was destroyed."""


def seal(plain: bytes, *, key: bytes, record: str) -> bytes:
    """Encrypt `plain` for the record named `record`; returns nonce + ciphertext + tag."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, record.encode())


def unseal(sealed: bytes, *, key: bytes, record: str) -> bytes:
    """Decrypt what `seal` made for the same record. Raises Unreadable."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], record.encode())
    except (InvalidTag, ValueError) as bad:
        raise Unreadable(record) from bad


def new_wrapped_key(record: str) -> bytes:
    """A new data key of 32 bytes, wrapped by the master key for `record`."""
    return seal(secrets.token_bytes(32), key=settings().master_key, record=f"key:{record}")


def unwrap_key(wrapped: bytes | None, record: str) -> bytes:
    """The data key of `record`. Raises Unreadable when it was destroyed (`wrapped` is None)."""
    if wrapped is None:
        raise Unreadable(record)
    return unseal(wrapped, key=settings().master_key, record=f"key:{record}")


def seal_master(plain: str, record: str) -> bytes:
    """Encrypt a short text (a phone number, a provider's secret) under the master key, bound to `record`."""
    return seal(plain.encode(), key=settings().master_key, record=record)


def unseal_master(sealed: bytes, record: str) -> str:
    """Decrypt what `seal_master` made. Raises Unreadable."""
    return unseal(sealed, key=settings().master_key, record=record).decode()


def blind_index(value: str, purpose: str) -> bytes:
    """A keyed fingerprint (32 bytes) of `value`, different for every purpose."""
    return hmac.digest(settings().index_key, f"{purpose}\0{value}".encode(), hashlib.sha256)


def token_hash(token: str) -> bytes:
    """What is stored of a bearer token. Tokens carry 256 random bits, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
