"""URLs from outside: which are called, and that a name which changes its address leads nowhere else."""

from __future__ import annotations

from threading import Event

import pytest

from marketplace.core.sending import outside
from marketplace.core.sending.outside import BadUrl, NotPublic, may_reach, read_networks, read_url

HOSTILE = [
    # our own machine and network, in plain
    "https://127.0.0.1/",
    "https://127.8.8.8/",
    "https://0.0.0.0/",
    "https://0.1.2.3/",
    "https://10.0.0.1/hook",
    "https://10.255.255.255/",
    "https://172.16.0.1/",
    "https://172.31.255.254/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.170.2/v2/credentials",
    "https://100.64.0.1/",
    "https://100.100.100.200/latest/meta-data/",
    "https://168.63.129.16/metadata",
    "https://192.0.0.192/opc/v2/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.51.100.7/",
    "https://203.0.113.7/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    # IPv6, and IPv4 inside it
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[100::1]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::808:808]/",
    "https://[2002:0a00:0001::1]/",
    "https://[2002:808:808::1]/",
    "https://[2001:0:53aa:64c:0:0:f5ff:fffe]/",
    "https://[::ffff:0:8.8.8.8]/",
    # addresses in odd spellings
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://10.1/",
    "https://127.0.0.01/",
    "https://127.0.0.1./",
    "https://hooks.example.0x1/",
    "https://[::1%25lo]/",
    "https://[fe80::1%eth0]/",
    "https://[127.0.0.1]/",
    "https://[8.8.8.8]/",
    # names of this machine
    "https://localhost/",
    "https://LOCALHOST/",
    "https://a.localhost/",
    "https://intranet/",
    # what parsers read differently, or what is no https URL
    "http://hooks.example/",
    "http://8.8.8.8/",
    "HTTPS://hooks.example/",
    "ftp://hooks.example/",
    "file:///etc/passwd",
    "gopher://hooks.example:70/",
    "//hooks.example/",
    "https:/hooks.example/",
    "https:hooks.example",
    "https://",
    "https:///hook",
    "https://user@hooks.example/",
    "https://hooks.example@10.0.0.1/",
    "https://user:word@hooks.example/",
    "https://hooks.example\\@10.0.0.1/",
    "https://hooks.example#@10.0.0.1/",
    "https://hooks.example/#part",
    "https://hooks.example:0/",
    "https://hooks.example:65536/",
    "https://hooks.example:1:2/",
    "https://hooks.example:443x/",
    "https://hooks example/",
    " https://hooks.example/",
    "https://hooks.example/\r\nHost: inside",
    "https://hooks.example/ path",
    "https://hooks.example/\x00",
    "https://hooks.example\t/",
    "https://hooks.example./",
    "https://.hooks.example/",
    "https://hooks..example/",
    "https://-hooks.example/",
    "https://hooks_inside.example/",
    "https://%31%30.0.0.1/",
    "https://127。0。0。1/",
    "https://①②⑦.0.0.1/",
    "https://hooks.exämple/",
    "https://hooks.example/" + "a" * 2000,
]

PUBLIC = [
    ("https://hooks.example", "https://hooks.example", "/"),
    ("https://hooks.example/", "https://hooks.example", "/"),
    ("https://hooks.example:8443/a/b?c=d&e=%20f", "https://hooks.example:8443", "/a/b?c=d&e=%20f"),
    ("https://hooks.example?c=d", "https://hooks.example", "/?c=d"),
    ("https://xn--hooks-exmple-r5a.cn/", "https://xn--hooks-exmple-r5a.cn", "/"),
    ("https://8.8.8.8/", "https://8.8.8.8", "/"),
    ("https://[2606:4700::1111]/", "https://[2606:4700::1111]", "/"),
    ("https://[::ffff:8.8.8.8]/", "https://[::ffff:8.8.8.8]", "/"),
    ("https://[64:ff9b::8.8.8.8]/", "https://[64:ff9b::8.8.8.8]", "/"),
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused(url: str) -> None:
    with pytest.raises(BadUrl):
        read_url(url, loopback=False)


@pytest.mark.parametrize(("url", "origin", "path"), PUBLIC)
def test_a_public_url_is_read(url: str, origin: str, path: str) -> None:
    target = read_url(url, loopback=False)
    assert (target.origin, target.path) == (origin, path)


OURS = {
    *("https://127.0.0.1/", "https://127.8.8.8/", "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/"),
    *("https://localhost/", "https://LOCALHOST/", "https://a.localhost/"),
}
NAMES = {"http://hooks.example/", "https://intranet/"}
"""What is refused only when it is called, where this machine may be."""


@pytest.mark.parametrize("url", [each for each in HOSTILE if each not in NAMES])
def test_with_loopback_allowed_only_this_machine_is_let_in(url: str) -> None:
    if url in OURS:
        assert read_url(url, loopback=True)
    else:
        with pytest.raises(BadUrl):
            read_url(url, loopback=True)


def test_http_leads_to_this_machine_alone_and_only_where_that_is_allowed() -> None:
    assert read_url("http://127.0.0.1:8000/hook", loopback=True).path == "/hook"
    for url in ("http://8.8.8.8/", "http://10.0.0.1/", "http://[64:ff9b::8.8.8.8]/"):
        with pytest.raises(BadUrl):
            read_url(url, loopback=True)


def test_the_networks_that_were_allowed_are_let_in_by_http_too_and_nothing_besides() -> None:
    inside = ["10.20.0.0/16"]
    for url in ("http://10.20.1.2/api", "https://10.20.1.2/api", "http://his/api", "http://his.example/api"):
        assert read_url(url, loopback=False, networks=inside).path == "/api"
    for url in (
        "http://10.21.1.2/",
        "https://10.21.1.2/",
        "http://8.8.8.8/",
        "https://169.254.169.254/",
        "https://localhost/",
    ):
        with pytest.raises(BadUrl):
            read_url(url, loopback=False, networks=inside)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "169.254.169.254", "fe80::1%eth0", "::ffff:10.0.0.1", "fd00:ec2::254", "64:ff9b::a00:1", "0.0.0.0"],
)
def test_no_address_of_our_own_network_is_reached(address: str) -> None:
    for https in (True, False):
        for loopback in (True, False):
            assert not may_reach(address, https=https, loopback=loopback)


@pytest.mark.parametrize(
    ("networks", "inside", "outside_of_them"),
    [
        (
            ["10.20.0.0/16"],
            ["10.20.0.7", "::ffff:10.20.0.7", "64:ff9b::10.20.0.7"],
            ["10.21.0.7", "192.168.0.1", "::1"],
        ),
        (["fd12::/48"], ["fd12::7"], ["fd13::7", "10.20.0.7"]),
        (["127.0.0.1/32"], ["127.0.0.1"], ["127.0.0.2", "::1"]),
    ],
)
def test_a_network_that_an_operator_allowed_is_reached_also_without_tls_and_no_other(
    networks: list[str], inside: list[str], outside_of_them: list[str]
) -> None:
    for https in (True, False):
        assert all(may_reach(each, https=https, loopback=False, networks=networks) for each in inside)
        assert not any(may_reach(each, https=https, loopback=False, networks=networks) for each in outside_of_them)
    assert may_reach("93.184.215.14", https=True, loopback=False, networks=networks)
    assert not may_reach("93.184.215.14", https=False, loopback=False, networks=networks)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "::", "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1", "224.0.0.1"),
        *("255.255.255.255", "ff02::1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
        "fd20:ce::254",
    ],
)
def test_what_clouds_tell_their_machines_is_reached_by_nobodys_leave(address: str) -> None:
    assert not may_reach(address, https=True, loopback=True, networks=["0.0.0.0/0", "::/0"])


def test_networks_are_read_in_their_usual_form() -> None:
    assert read_networks(["10.20.0.0/16", "10.20.0.0/255.255.0.0", "FD12:0::/48"]) == ("10.20.0.0/16", "fd12::/48")
    for wrong in ("10.20.0.1/16", "10.20", "hospital", "", "10.20.0.0/33"):
        with pytest.raises(ValueError, match=r"network|netmask|host bits"):
            read_networks([wrong])


class Connected(Exception):
    """Stands for a connection: to which address."""


def answers(monkeypatch: pytest.MonkeyPatch, *each_time: list[str]) -> list[str]:
    """A resolver that says something else each time, and a network that says where one would have gone."""
    waiting, asked = list(each_time), list[str]()

    def look_up(host: str, port: int) -> list[str]:
        asked.append(host)
        return waiting.pop(0)

    def open_socket(address: str, port: int, seconds: float) -> None:
        raise Connected(address)

    monkeypatch.setattr(outside, "look_up", look_up)
    monkeypatch.setattr(outside, "open_socket", open_socket)
    return asked


def reach(host: str = "hooks.example", *, https: bool = True, loopback: bool = False) -> None:
    outside.connect(host, 443, https=https, loopback=loopback, left=lambda: 20.0, each=3.0)


def test_a_name_that_answers_another_address_the_second_time_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    with pytest.raises(Connected, match=r"93\.184\.215\.14"):
        reach()
    assert asked == ["hooks.example"]


@pytest.mark.parametrize(
    "addresses",
    [[], ["10.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["2606:4700::1111", "::1"], ["127.0.0.1"], ["fe80::1%2"]],
)
def test_a_name_with_one_address_that_is_not_public_is_not_called(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    answers(monkeypatch, addresses)
    with pytest.raises(NotPublic):
        reach()


def test_plain_http_to_a_name_is_for_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    with pytest.raises(NotPublic):
        reach(https=False, loopback=True)
    with pytest.raises(Connected):
        reach(https=False, loopback=True)


def test_a_resolver_that_does_not_answer_is_left_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Event()
    monkeypatch.setattr(outside, "look_up", lambda host, port: [str(held.wait(60))])
    try:
        with pytest.raises(TimeoutError):
            outside.connect("hooks.example", 443, https=True, loopback=False, left=lambda: 0.05, each=3.0)
    finally:
        held.set()
