from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import isnan
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.products import Settlement  # noqa: TC001 - hypothesis may read it
from live_box_spreads.model.settlement import (
    NEW_YORK,
    TimeBasis,
    expiry_instant,
    payment_date,
    premium_date,
    trade_date,
    years_to_payment,
)
from tests.model.golden import golden_rows

GOLDEN = golden_rows("settlement_dates.csv")
INSTANTS = st.datetimes(datetime(1999, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row["why"])
def test_dates_match_the_paper_calendar(row: dict[str, str]) -> None:
    quote = datetime.fromisoformat(row["quote_new_york"]).replace(tzinfo=NEW_YORK)
    expiry = date.fromisoformat(row["expiry"])
    settlement = cast("Settlement", row["settlement"])
    fixed = datetime.fromisoformat(row["expiry_instant_utc"]).replace(tzinfo=UTC)
    days = int(row["days"])

    assert trade_date(quote) == date.fromisoformat(row["trade_date"])
    assert premium_date(quote) == date.fromisoformat(row["premium_date"])
    assert payment_date(expiry) == date.fromisoformat(row["payment_date"])
    assert expiry_instant(expiry, settlement) == fixed
    assert expiry_instant(expiry, settlement).tzinfo is UTC

    years = years_to_payment(quote, expiry, settlement)
    assert years == days / 365 if days > 0 else isnan(years)


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row["why"])
def test_the_zone_of_the_quote_does_not_matter(row: dict[str, str]) -> None:
    quote = datetime.fromisoformat(row["quote_new_york"]).replace(tzinfo=NEW_YORK)
    assert premium_date(quote.astimezone(UTC)) == date.fromisoformat(row["premium_date"])


def test_expiry_instant_basis_counts_seconds() -> None:
    # Ten days before 16:00 New York on the early close of 13:00: ten days less three hours.
    quote = datetime(2026, 11, 17, 16, tzinfo=NEW_YORK)
    years = years_to_payment(quote, date(2026, 11, 27), "PM", TimeBasis.EXPIRY_INSTANT)
    assert years == pytest.approx((240 - 3) / 8760, rel=1e-14)
    # To the open of the same day: three and a half hours earlier.
    years = years_to_payment(quote, date(2026, 11, 27), "AM", TimeBasis.EXPIRY_INSTANT)
    assert years == pytest.approx((240 - 6.5) / 8760, rel=1e-14)


def test_nothing_is_left_from_the_expiry_instant_on() -> None:
    close = datetime(2026, 11, 27, 13, tzinfo=NEW_YORK)
    basis = TimeBasis.EXPIRY_INSTANT
    before = years_to_payment(close - timedelta(seconds=1), date(2026, 11, 27), "PM", basis)
    assert before == pytest.approx(1 / (365 * 86_400))
    assert isnan(years_to_payment(close, date(2026, 11, 27), "PM", basis))


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first = datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK)
    second = first.replace(fold=1)
    basis = TimeBasis.EXPIRY_INSTANT
    apart = years_to_payment(first, date(2026, 12, 18), "AM", basis) - years_to_payment(
        second, date(2026, 12, 18), "AM", basis
    )
    assert apart == pytest.approx(1 / 8760)


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=1500)))
def test_later_quotes_never_settle_earlier(instant: datetime, later: timedelta) -> None:
    assert premium_date(instant) <= premium_date(instant + later)
    assert trade_date(instant) < premium_date(instant)


@given(INSTANTS, st.integers(1, 1500), st.sampled_from(["AM", "PM"]))
def test_the_two_bases_differ_by_days_at_most(
    instant: datetime, days: int, settlement: Settlement
) -> None:
    expiry = instant.date() + timedelta(days=days + 10)
    settled = years_to_payment(instant, expiry, settlement)
    to_instant = years_to_payment(instant, expiry, settlement, TimeBasis.EXPIRY_INSTANT)
    # Closures of up to a week (September 2001) on either side.
    assert abs(settled - to_instant) * 365 < 8


def test_a_naive_time_is_refused() -> None:
    naive = datetime(2026, 11, 24, 15)  # noqa: DTZ001 - it is the mistake
    with pytest.raises(ModelError, match="2026-11-24T15:00:00 has no time zone"):
        trade_date(naive)
    with pytest.raises(ModelError, match="no time zone"):
        premium_date(naive)
    with pytest.raises(ModelError, match="no time zone"):
        years_to_payment(naive, date(2027, 12, 17), "AM")


def test_an_expiry_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(ModelError, match=r"2050-01-22.*2045-12-29"):
        payment_date(date(2050, 1, 21))
