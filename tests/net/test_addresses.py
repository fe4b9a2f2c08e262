"""Which addresses may be asked."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.errors import ConfigError
from live_box_spreads.net.addresses import (
    address_fault,
    checked_base_url,
    checked_url,
    host_of,
    is_loopback,
    is_loopback_authority,
)

REFUSED = [
    ("http://a.test", "not encrypted, and secrets go there; it should be https://"),
    ("ws://a.test", "not encrypted, and secrets go there; it should be wss://"),
    ("http://127.0.0.1.evil.test", "not encrypted"),
    ("http://localhost.evil.test", "not encrypted"),
    ("http://2130706433", "not encrypted"),
    ("ftp://a.test", "no web address"),
    ("https://", "no web address"),
    ("a.test", "no web address"),
    ("", "no web address"),
    ("https://a.test:99999", "port 99999 is out of range"),
    ("https://a.test/\x00", "no web address"),
    ("https://ä.test", "no web address"),
    ("https://a.test:", "no web address"),
    ("https://a.test:0", "port 0 is out of range"),
    ("https://a.test:" + "9" * 999, "is out of range"),
    ("http://127.0.0.1\\.evil.test", "no web address"),
]


@pytest.mark.parametrize(("url", "says"), REFUSED)
def test_what_is_not_safe_is_refused_in_one_line(url: str, says: str) -> None:
    for check in (checked_url, checked_base_url):
        with pytest.raises(ConfigError) as caught:
            check(url, "it")
        message = str(caught.value)
        assert message.startswith("it ")
        assert says in message
        assert message.isprintable()


@pytest.mark.parametrize(
    "url", ["https://a.test", "https://a.test:8/x", "http://127.0.0.1:1", "http://[::1]:1/x"]
)
def test_what_is_safe_is_taken(url: str) -> None:
    assert checked_url(url, "it") == url
    assert checked_base_url(url + "/", "it") == url


@pytest.mark.parametrize(
    "url",
    [
        "https://me:s3cret@a.test",
        "http://s3cret@127.0.0.1",
        "https://s3cret\\@a.test",
        "ftp://me:s3cret@a.test",
        "me:s3cret@a.test",
    ],
)
def test_a_user_name_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="user name or password") as caught:
        checked_url(url, "it")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("end", ["?", "?a=b", "#", "#a", "/x?y#z"])
def test_a_base_has_no_query_and_no_fragment(end: str) -> None:
    assert checked_url("https://a.test/x" + end, "it") == "https://a.test/x" + end
    with pytest.raises(ConfigError, match="a query or fragment"):
        checked_base_url("https://a.test/x" + end, "it")


def test_a_base_is_asked_by_http() -> None:
    assert checked_url("wss://a.test", "it") == "wss://a.test"
    with pytest.raises(ConfigError, match="no address of an HTTP service"):
        checked_base_url("wss://a.test", "it")


@given(st.text() | st.text().map("https://".__add__) | st.text().map("http://127.0.0.1".__add__))
def test_any_text_is_taken_or_refused_in_one_short_line(text: str) -> None:
    try:
        taken = checked_url(text, "it")
    except ConfigError as error:
        message = str(error)
    else:
        message = ""
        assert taken.lower().startswith(("https:", "wss:")) or is_loopback(taken)
    assert len(message) < 1_300  # an escape takes up to six characters
    assert "\n" not in message


HOSTS = st.from_regex(r"[a-zA-Z0-9._-]{1,12}|\[[0-9a-f:.]{2,9}\]|[!-~]{1,9}", fullmatch=True)
RESTS = st.from_regex(r"(:[0-9]{1,5})?([/?#][!-~]{0,15})?", fullmatch=True)


@given(HOSTS, RESTS)
def test_the_host_is_the_one_that_the_client_connects_to(host: str, rest: str) -> None:
    url = f"https://{host}{rest}"
    if address_fault(url):
        return
    try:
        connected = httpx2.URL(url)
    except httpx2.InvalidURL:
        return  # nothing is sent
    assert connected.host == host_of(url)
    assert connected.userinfo == b""


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:9464", True),
        ("localhost:1", True),
        ("[::1]", True),
        ("[::1]:9464", True),
        ("127.8.9.1", True),
        ("", False),
        ("evil.test", False),
        ("evil.test:9464", False),
        ("127.0.0.1.evil.test", False),
        ("127.0.0.1@evil.test", False),
        ("evil.test@127.0.0.1", False),
        ("127.0.0.1/x", False),
        ("127.0.0.1:x", False),
        ("0.0.0.0", False),  # noqa: S104 # nothing is bound to it
        ("10.0.0.1", False),
        ("127.0.0.1,evil.test", False),
    ],
)
def test_which_host_headers_name_this_machine(host: str, is_ours: bool) -> None:  # noqa: FBT001
    assert is_loopback_authority(host) is is_ours
