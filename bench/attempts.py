"""Reads of customers while somebody tries codes and passwords as fast as she can, from as many addresses as tries."""

from __future__ import annotations

import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from bench import load

MOST_TRIES_PER_SECOND = 1000
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Attack:
    """What is tried, over how many connections."""

    name: str
    requests: list[str]
    clients: int


@dataclass(frozen=True)
class Under:
    """Reads and the tries that were answered beside them."""

    reads: load.Tally
    tries: load.Tally


def codes(how_many: int, clients: int) -> Attack:
    """Wrong codes for as many phones as tries, by the API."""
    tries = [
        load.message("POST", "/api/v1/sessions", "", {"phone": f"139{n:08d}", "code": "000000"})
        for n in range(how_many)
    ]
    return Attack("wrong codes", [_from(n, text) for n, text in enumerate(tries)], clients)


def passwords(port: int, how_many: int, clients: int) -> Attack:
    """Wrong passwords for one login, by the console's form."""
    with _NO_PROXY.open(f"http://127.0.0.1:{port}/operators/sign-in", timeout=10) as page:
        found = _TOKEN.search(page.read().decode())
        cookie = str(page.headers["Set-Cookie"]).partition(";")[0]
    if found is None:
        raise RuntimeError("the console's form has no token")
    body = urlencode({"csrf_token": found[1], "name": "admin", "password": "a wrong password"})
    head = (
        f"POST /operators/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\nAccept: */*\r\n\r\n"
    )
    return Attack("wrong passwords", [_from(n, head + body) for n in range(how_many)], clients)


def under(attack: Attack, job: load.Job) -> Under:
    """The reads of `job` while the attack goes on, which begins before them and ends after them."""
    longer = replace(job, seconds=job.seconds + 1, clients=attack.clients, requests=attack.requests)
    with ThreadPoolExecutor(1) as beside:
        tries = beside.submit(load.run, longer)
        reads = load.run(job)
        return Under(reads, tries.result())


def _from(n: int, request: str) -> str:
    """The request as our proxy passes it on from address n."""
    address = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
    return request.replace("\r\n", f"\r\nX-Forwarded-For: {address}\r\n", 1)
