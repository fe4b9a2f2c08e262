"""Retry-After, dates, validators and redirects, whatever a server writes there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.net.headers import (
    LONGEST_RETRY_AFTER_SECS,
    Validators,
    http_date,
    moved_to,
    retry_after_secs,
)

INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 # hypothesis takes no zone here
    max_value=datetime(9999, 1, 1),  # noqa: DTZ001
).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))


@given(st.integers(0, 10**400))
def test_seconds(secs: int) -> None:
    headers = {"retry-after": str(secs)}
    assert retry_after_secs(headers) == float(min(secs, int(LONGEST_RETRY_AFTER_SECS)))


@given(INSTANTS, st.integers(-(10**6), 10**6))
def test_an_instant_on_the_servers_clock(now: datetime, secs: int) -> None:
    until = now + timedelta(seconds=secs)
    dates = [format_datetime(at, usegmt=True) for at in (until, now)]
    waited = retry_after_secs({"retry-after": dates[0], "date": dates[1]})
    assert waited == min(max(0, secs), LONGEST_RETRY_AFTER_SECS)
    assert retry_after_secs({"retry-after": dates[0]}) is None  # no clock to compare with


ODD_DATES = st.sampled_from(
    [
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Tue, 24 Nov 2026 15:00:00 -0000",
        "Tue, 24 Nov 2026 15:00:00 +9999",
        "-1",
        "1.5",
        "٣",
        "",
        " 7 ",
    ]
)


@given(st.text() | ODD_DATES, st.text() | ODD_DATES)
def test_whatever_stands_there_is_a_bounded_wait_or_none(text: str, date: str) -> None:
    secs = retry_after_secs({"retry-after": text, "date": date})
    assert secs is None or 0.0 <= secs <= LONGEST_RETRY_AFTER_SECS


def test_dates_are_utc() -> None:
    for text in ("Tue, 24 Nov 2026 15:00:00 GMT", "Tue, 24 Nov 2026 15:00:00 -0000"):
        assert http_date(text) == datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert http_date("Tue, 24 Nov 2026 10:00:00 -0500") == datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert http_date("yesterday") is None


def test_validators_are_sent_back_as_they_came() -> None:
    headers = {"etag": '"v1"', "last-modified": "Tue, 24 Nov 2026 15:15:00 GMT"}
    assert Validators.of(headers).asking() == {
        "If-None-Match": '"v1"',
        "If-Modified-Since": "Tue, 24 Nov 2026 15:15:00 GMT",
    }
    assert Validators.of({}).asking() == {}


@pytest.mark.parametrize("etag", ["é", '"a\nb"', '"' + "x" * 2_000 + '"'])
def test_validators_that_cannot_be_sent_are_forgotten(etag: str) -> None:
    assert Validators.of({"etag": etag}) == Validators()


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://b.test/x?token=s3cret#y", "https://b.test/x"),
        ("https://me:s3cret@b.test/", "https://b.test/"),
        ("/other?token=s3cret", "/other"),
        ("https://bad:port/?token=s3cret", "https://bad:port/"),
        ("", ""),
    ],
)
def test_a_redirect_is_told_without_its_query(location: str, shown: str) -> None:
    assert moved_to({"location": location}) == shown


@given(st.text())
def test_any_redirect_is_one_short_line(location: str) -> None:
    shown = moved_to({"location": location})
    assert len(shown) <= 300
    assert shown.isprintable()
