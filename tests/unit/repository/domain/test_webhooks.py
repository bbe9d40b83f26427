"""Where notices may go to."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository.domain.errors import FieldError
from repository.domain.webhooks import DISABLED_AFTER, is_given_up, is_reachable, url_from_json

PRIVATE = [
    *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255"),  # noqa: S104
    *("224.0.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1"),
    *("ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "2002:0a00:0001::1", "2001:0:1::1"),
    *("64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8", "127.0.0.1", "127.8.9.1", "::1"),
]
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_not_reachable(text: str) -> None:
    """Whatever network they are of, and by whatever way they stand for one another."""
    assert not is_reachable(ipaddress.ip_address(text), loopback=False)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are(text: str) -> None:
    """So is nothing else but, where it is allowed, this machine."""
    assert is_reachable(ipaddress.ip_address(text), loopback=False)
    assert is_reachable(ipaddress.ip_address("127.0.0.1"), loopback=True)
    assert is_reachable(ipaddress.ip_address("::1"), loopback=True)
    assert not is_reachable(ipaddress.ip_address("10.0.0.1"), loopback=True)


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_never_reachable(address: ipaddress.IPv4Address) -> None:
    """An IPv4 address written as one of IPv6 is refused, whichever it is: a gateway would turn it back."""
    packed = int(address)
    for prefix, shift in ((0xFFFF << 32, 0), (0x64FF9B << 96, 0), (0x2002 << 112, 80)):
        assert not is_reachable(ipaddress.IPv6Address(prefix | packed << shift), loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "pool.example",
            "http://pool.example/",
            "ftp://pool.example/",
            "https://",
            "https:///path",
            "https://:443/",
        ),
        *(
            "https://user@pool.example/",
            "https://user:pass@pool.example/",
            "https://pool.example/#part",
            "https://a b/",
        ),
        *("https://pool.example:0/", "https://pool.example:99999/", "https://pool.example:x/", "https://[::1"),
        *(
            "https://pool.example/\n",
            "https://poöl.example/",
            "https://10.0.0.1/",
            "https://[fe80::1]/",
            "https://127.0.0.1/",
        ),
        "https://pool.example/" + "a" * 2000,
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """By a field error, without the value."""
    with pytest.raises(FieldError) as caught:
        url_from_json({"url": url}, loopback=False)
    assert caught.value.field == "url"
    assert url not in str(caught.value) or not url


def test_urls_that_are_taken() -> None:
    """https, with a port and a query if need be; http only where trials on this machine are allowed."""
    for url in (
        "https://pool.example",
        "https://pool.example:8443/in?token=x",
        "https://8.8.8.8/",
        "https://[2a00::1]/",
    ):
        assert url_from_json({"url": url}, loopback=False) == url
    assert url_from_json({"url": "http://127.0.0.1:9/"}, loopback=True)


def test_given_up_after_days() -> None:
    """Not before, and not where something got through."""
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert not is_given_up(None, now)
    assert not is_given_up(now - DISABLED_AFTER + timedelta(seconds=1), now)
    assert is_given_up(now - DISABLED_AFTER, now)
