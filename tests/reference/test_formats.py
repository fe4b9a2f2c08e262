"""Each real format, read from a small copy."""

from __future__ import annotations

import gzip
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.errors import FileFormatError
from live_box_spreads.model.reference_curve import OvernightRate, ParYieldCurve
from live_box_spreads.reference import FileSource, ReferenceLookup, read_reference
from live_box_spreads.reference.tables import parse_day, tenor_months

FORMATS = Path(__file__).parent / "formats"
LAST = date(2025, 9, 4)
PAR = ["treasury_2025.csv", "treasury_2025.xml", "fred.csv", "by_hand.csv"]
OVERNIGHT = ["newyorkfed.json", "newyorkfed.csv", "fred_sofr.csv", "sofr_by_hand.csv"]

# The Treasury's yields of 2025-09-04, by tenor in months.
YIELDS = dict(
    zip(
        [1, 3, 6, 12, 24, 36, 60, 84, 120, 240, 360],
        [4.29, 4.11, 3.89, 3.77, 3.59, 3.58, 3.65, 3.88, 4.17, 4.78, 4.86],
        strict=True,
    )
)


@pytest.mark.parametrize("name", PAR)
def test_par_yields_are_those_of_the_day(name: str) -> None:
    history = read_reference(FORMATS / name)
    assert set(history.rows) == {date(2025, 9, 3), LAST}
    curve = history.on(LAST, 7).curve
    assert isinstance(curve, ParYieldCurve)
    assert curve.as_of == LAST
    for months, percent in YIELDS.items():
        assert curve.par_yields[months] == pytest.approx(percent / 100, abs=1e-15)
    between = {
        "treasury_2025.csv": {1.5, 2, 4},
        "treasury_2025.xml": {1.5, 2, 4},
        "fred.csv": set(),
    }
    assert set(curve.par_yields) - set(YIELDS) == between.get(name, {2, 4})


@pytest.mark.parametrize("name", PAR)
def test_a_missing_yield_is_missing(name: str) -> None:
    curve = read_reference(FORMATS / name).on(date(2025, 9, 3), 7).curve
    assert isinstance(curve, ParYieldCurve)
    assert 240 not in curve.tenors_months
    assert 360 in curve.tenors_months


@pytest.mark.parametrize("name", OVERNIGHT)
def test_overnight_fixings_are_those_of_the_day(name: str) -> None:
    history = read_reference(FORMATS / name)
    assert history.rows == pytest.approx({date(2025, 9, 3): 0.0439, LAST: 0.0441})
    curve = history.on(LAST, 7).curve
    assert isinstance(curve, OvernightRate)
    assert curve.name.endswith(", overnight held flat")


def test_a_day_without_yields_is_counted() -> None:
    holiday = {"a day with fewer than two yields": 1}
    assert read_reference(FORMATS / "fred.csv").rejected == holiday
    assert read_reference(FORMATS / "treasury_2025.xml").rejected == holiday  # the filler
    assert read_reference(FORMATS / "fred_sofr.csv").rejected == {"a day without a fixing": 1}


def test_a_gzip_file_is_read(tmp_path: Path) -> None:
    packed = tmp_path / "treasury.csv.gz"
    packed.write_bytes(gzip.compress((FORMATS / "treasury_2025.csv").read_bytes()))
    assert LAST in read_reference(packed).rows


@pytest.mark.parametrize(
    ("name", "months"),
    [
        *[("1 Mo", 1), ("1.5 Month", 1.5), ("6 Mo", 6), ("1 Yr", 12), ("30 Yr", 360)],
        *[("1 mo", 1), ("DGS3MO", 3), ("DGS1", 12), ("DGS30", 360), ("3m", 3), ("10y", 120)],
        *[("10 years", 120), ("source", None), ("Date", None), ("SOFR", None), ("10", None)],
        *[("T10Y2Y", None), ("BC_3MONTH", None), ("", None), ("0m", None), ("9999y", None)],
    ],
)
def test_a_tenor_is_told_by_its_name(name: str, months: float | None) -> None:
    assert tenor_months(name) == months


@pytest.mark.parametrize(
    "text", ["2025-09-04", "09/04/2025", "09/04/25", "2025-09-04T00:00:00", " 2025-09-04 "]
)
def test_a_day_is_read_in_each_form(text: str) -> None:
    assert parse_day(text) == LAST


@pytest.mark.parametrize("text", ["", "4 Sep", "2025-13-04", "04.09.2025"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert parse_day(text) is None


def test_rows_and_cells_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(
        "date,3m,1y,10y\n2025-09-04,4.1,3.8,4.2\nyesterday,4.1,3.8,4.2\n2025-09-04,4.2,x,411\n"
        "2025-09-05,4.0,3.7\n\n",
        encoding="utf-8",
    )
    history = read_reference(file)
    assert history.rejected == {
        "unreadable date": 1,
        "a rate that is no number from -5 to 30 per cent": 2,
        "a day with fewer than two yields": 1,
    }
    assert history.rows[date(2025, 9, 5)] == pytest.approx({3: 0.04, 12: 0.037})
    assert history.rows[LAST] == pytest.approx({3: 0.041, 12: 0.038, 120: 0.042})


def test_of_a_day_that_comes_twice_the_last_row_counts(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("date,3m,1y\n2025-09-04,4.1,3.8\n2025-09-04,4.2,3.9\n", encoding="utf-8")
    history = read_reference(file)
    assert history.rows[LAST] == pytest.approx({3: 0.042, 12: 0.039})
    assert history.rejected == {"a day that is there twice": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("date,3m,10y\n2025-09-04,0.041,0.0417\n", "seems to hold fractions"),
        ("date,price\n2025-09-04,4\n", "name fewer than two tenors"),
        ("date,3m,10y\n", "no day with rates (it has no rows)"),
        ("date,3m,10y\nx,1,2\n", "no day with rates (unreadable date: 1)"),
        ("<html><body>Not found</body></html>", "no day with rates"),
        ("<html><p>Not found</html>", "not readable as XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><feed>&a;</feed>', "no document type"),
        ('{"error": "no"}', "not the New York Fed's JSON"),
        ('{"refRates": []}', "no day with rates"),
        ("Effective Date,Rate Type,Rate (%)\n09/04/2025,EFFR,4.33\n", "no day with rates"),
        ("", "empty"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(
    tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "rates"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError) as refused:
        read_reference(file)
    assert says in str(refused.value)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"nowhere\.csv: cannot be read"):
        read_reference(tmp_path / "nowhere.csv")


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A real format with a piece cut out, repeated or replaced."""
    whole = (FORMATS / draw(st.sampled_from([*PAR, *OVERNIGHT]))).read_bytes()
    a, b = sorted(draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    instead = draw(st.sampled_from([b"", whole[a:b] * 2, b"\x00", b"1e999", b",,,\n", b"<", b'"']))
    return whole[:a] + instead + whole[b:]


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode), _damaged()))
def test_any_bytes_give_rates_of_known_days_or_one_line(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rates"
        file.write_bytes(data)
        refused, history = "", None
        try:
            history = read_reference(file)
        except FileFormatError as error:
            refused = str(error)
        if history is None:
            assert refused
            assert "\n" not in refused
            return
        found = ReferenceLookup(FileSource(file)).on(max(history.rows))
        assert (found.curve is None) == bool(found.reason)


@pytest.mark.parametrize("text", ['{"refRates":' + "[" * 100_000, "<a>" * 10_000, "[" * 100_000])
def test_deep_nesting_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rates"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError):
        read_reference(file)
