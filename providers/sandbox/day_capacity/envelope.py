"""The outside of every call: who asks (app key, time, nonce, signature), and the answer in its envelope."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from providers.sandbox.bookings import Desk

TOLERANCE = timedelta(minutes=10)
LABEL = "%Y-%m-%d %H:%M:%S"
MESSAGES = {
    0: "成功",
    1001: "参数错误",
    1002: "签名错误",
    1003: "appKey 无效",
    1004: "时间戳超出允许范围",
    1005: "请求过于频繁",
    1006: "系统维护中",
    1007: "nonce 重复",
    1010: "排班不存在",
    1011: "号源已满",
    1012: "号源已停",
    1013: "套餐不适用于该体检人",
    1014: "套餐未上架",
    1015: "已过预约时间",
    1020: "订单不存在",
    1021: "订单状态不允许该操作",
    1022: "外部订单号重复",
    1030: "报告不存在",
    1099: "系统异常",
}


class Failure(Exception):
    """An answer other than 0; nothing was changed, unless the code is 1099."""

    def __init__(self, code: int, detail: str = "", data: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.data = data


class Nonces:
    """The nonces of the last minutes, in memory: a restart forgets them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, datetime] = {}

    def fresh(self, nonce: str, now: datetime) -> bool:
        """Whether the nonce was not used while its time stamp could still be accepted; from now on it is used."""
        with self._lock:
            if len(self._seen) > 10_000:
                self._seen = {known: at for known, at in self._seen.items() if now - at <= 2 * TOLERANCE}
            known = self._seen.get(nonce)
            if known is not None and now - known <= 2 * TOLERANCE:
                return False
            self._seen[nonce] = now
            return True


def canonical(fields: Mapping[str, str]) -> str:
    """The text that is signed: every field but `sign`, by name, as name=value, joined by &; blank ones left out."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "sign" and fields[name])


def sign(fields: Mapping[str, str], secret: str) -> str:
    """HMAC-SHA256 of the canonical text in hexadecimal capitals."""
    return hmac.new(secret.encode(), canonical(fields).encode(), hashlib.sha256).hexdigest().upper()


def opened(desk: Desk, nonces: Nonces, method: str, body: Any) -> dict[str, Any]:
    """The business parameters of a signed request. Raises Failure 1001 to 1004 and 1007."""
    names = ("app_key", "method", "timestamp", "nonce", "biz", "sign")
    if not isinstance(body, dict) or not all(isinstance(body.get(name), str) for name in names):
        raise Failure(1001, "app_key, method, timestamp, nonce, biz and sign are wanted, as text")
    if body["app_key"] != desk.account.code:
        raise Failure(1003)
    given = {name: value for name, value in body.items() if isinstance(value, str)}
    if not any([hmac.compare_digest(sign(given, key), body["sign"].upper()) for key in desk.account.api_keys]):
        raise Failure(1002)
    here = desk.ledger.now().astimezone(ZoneInfo(desk.account.time_zone)).replace(tzinfo=None)
    if abs(here - moment(body["timestamp"], "timestamp")) > TOLERANCE:
        raise Failure(1004)
    if not 8 <= len(body["nonce"]) <= 64:
        raise Failure(1001, "nonce has 8 to 64 characters")
    if not nonces.fresh(body["nonce"], desk.ledger.now()):
        raise Failure(1007)
    if body["method"] != method:
        raise Failure(1001, "method differs from the address")
    try:
        biz = json.loads(body["biz"])
    except ValueError as error:
        raise Failure(1001, "biz is not JSON") from error
    if not isinstance(biz, dict):
        raise Failure(1001, "biz is no object")
    return biz


def moment(text: str, name: str) -> datetime:
    """A time of this provider, without a zone. Raises Failure 1001."""
    try:
        return datetime.strptime(text, LABEL)
    except ValueError as error:
        raise Failure(1001, f"{name} is not yyyy-MM-dd HH:mm:ss") from error


def local(desk: Desk, at: datetime) -> str:
    """A moment as this provider writes it: in its zone, which it does not name, to the second."""
    return at.astimezone(ZoneInfo(desk.account.time_zone)).strftime(LABEL)


def answer(desk: Desk | None, code: int, data: Any = None, detail: str = "") -> Response:
    """The envelope, always with HTTP 200."""
    text = MESSAGES[code] + (f"：{detail}" if detail else "")
    body: dict[str, Any] = {"code": code, "msg": text, "data": data}
    if desk is not None:
        body["serverTime"] = local(desk, desk.ledger.now())
    return Response(json.dumps(body, ensure_ascii=False), 200, content_type="application/json")
