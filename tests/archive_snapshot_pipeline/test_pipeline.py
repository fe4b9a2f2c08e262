"""The CSV route as it is typed, against one box worked out by hand.

SPX 2025-12-19, 6000/6100, quoted on Thursday 2025-09-04. Synthetic forwards: 600 - 101 = 499 and
602 - 99 = 503; 520 - 120 = 400 and 522 - 118 = 404. Lend at 503 - 400 = 103, borrow at 499 - 404
= 95, mid 99. Premium on Friday September 5, payment on Monday December 22: 108 days. Rates:
(100 / cost) ** (365 / 108) - 1, worked out to 40 digits with the decimal module.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from archive_snapshot_pipeline import write_box_csv
from live_box_spreads.model.errors import BoxSpreadsError, NotALoanError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = Path(__file__).with_name("chain_20250904.csv")


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "archive_snapshot_pipeline", *map(str, arguments)]
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )


def _boxes(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_as_typed(tmp_path: Path) -> None:
    out = tmp_path / "boxes.csv"
    result = _run(EXAMPLE, "--out", out)
    assert result.returncode == 0, result.stderr
    spx, xsp = _boxes(out)
    assert (spx["ticker"], spx["expiry"]) == ("SPX", "2025-12-19")
    assert spx["snapshot_time"] == "2025-09-04T18:15:00.000Z"
    said = {
        name: float(spx[name])
        for name in ("kl", "ks", "width", "bid_cost", "mid_cost", "ask_cost", "spot_price")
    }
    assert said == {
        "kl": 6000.0,
        "ks": 6100.0,
        "width": 100.0,
        "bid_cost": 95.0,
        "mid_cost": 99.0,
        "ask_cost": 103.0,
        "spot_price": 6050.0,
    }
    assert float(spx["tte_years"]) == pytest.approx(108 / 365, rel=1e-12)
    assert float(spx["bid_rate"]) == pytest.approx(0.189285061013970448, abs=1e-12)
    assert float(spx["mid_rate"]) == pytest.approx(0.034549858551108756, abs=1e-12)
    assert float(spx["ask_rate"]) == pytest.approx(-0.095070106358100691, abs=1e-12)
    assert (spx["min_leg_volume"], spx["total_leg_volume"]) == ("5", "26")
    # Nobody offers the 600 put of XSP, and to borrow is to buy it: (63 - 8) - (54 - 11) = 12.
    assert float(xsp["ask_cost"]) == 12.0
    assert (xsp["bid_cost"], xsp["bid_rate"]) == ("", "")
    assert "SPY options are American style" in result.stderr
    assert "1 rows rejected" in result.stderr
    assert "unknown option root NONE" in result.stderr
    assert "2 boxes left out: only a call or only a put" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["boxes.csv"]


def test_several_files_make_one_table(tmp_path: Path) -> None:
    out = tmp_path / "boxes.csv"
    assert write_box_csv([EXAMPLE, EXAMPLE], out).boxes == 4
    assert [box["ticker"] for box in _boxes(out)] == ["SPX", "XSP", "SPX", "XSP"]


def test_options_reach_the_model(tmp_path: Path) -> None:
    out = tmp_path / "boxes.csv"
    result = _run(EXAMPLE, "--out", out, "--compounding", "simple", "--min-strike-gap", "50")
    assert result.returncode == 0, result.stderr
    (spx,) = _boxes(out)
    assert float(spx["mid_rate"]) == pytest.approx((100 / 99 - 1) * 360 / 108, abs=1e-12)
    assert "narrower than min_strike_gap" in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("symbol,price\nSPX,1\n", "no column ticker, expiry, type, strike, bid, ask"),
        ("ticker,expiry,type,strike,bid,ask\nSPX,2025-12-19,C,6000,1,2\n", "--quote-time"),
        ("", "empty"),
    ],
)
def test_bad_input_is_one_line_and_leaves_the_old_file(
    tmp_path: Path, text: str, words: str
) -> None:
    chain, out = tmp_path / "chain.csv", tmp_path / "boxes.csv"
    chain.write_text(text, encoding="utf-8")
    out.write_text("as it was", encoding="utf-8")
    result = _run(EXAMPLE, chain, "--out", out)
    assert result.returncode == 1
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert out.read_text(encoding="utf-8") == "as it was"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["boxes.csv", "chain.csv"]


def test_usage_mistakes_exit_with_2(tmp_path: Path) -> None:
    assert _run(EXAMPLE).returncode == 2
    assert _run(EXAMPLE, "--out", tmp_path / "x", "--quote-time", "noon").returncode == 2


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BoxSpreadsError, match="cannot write"):
        write_box_csv([EXAMPLE], tmp_path / "nowhere" / "boxes.csv")


def test_only_american_tickers_make_no_file(tmp_path: Path) -> None:
    chain, out = tmp_path / "chain.csv", tmp_path / "boxes.csv"
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    spy = [line for line in lines if line.startswith(("ticker", "SPY"))]
    chain.write_text("\n".join(spy), encoding="utf-8")
    with pytest.raises(NotALoanError, match="SPY"):
        write_box_csv([chain], out)
    assert not out.exists()
