"""The made-up governments are what they say: boxes less a premium, as par yields."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.model.rates import Compounding
from live_box_spreads.reference import FileSource, ReferenceLookup
from live_box_spreads.simulator.market.curve import (
    BOX_CURVE,
    BOX_PREMIUM,
    as_csv,
    government_par_yields,
)

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2025, 9, 4)


@pytest.mark.parametrize("days", [91, 182, 365, 730, 1825])
def test_boxes_pay_the_premium_over_what_a_reader_makes_of_the_file(
    tmp_path: Path, days: int
) -> None:
    file = tmp_path / "simulated_treasury.csv"
    file.write_text(as_csv(DAY, government_par_yields()), encoding="utf-8")
    curve = ReferenceLookup(FileSource(file)).on(DAY).curve
    assert curve is not None
    assert (curve.name, curve.as_of) == ("simulated treasury", DAY)
    found = curve.rate(DAY, DAY + timedelta(days=days), Compounding.CONTINUOUS)
    boxes = float(BOX_CURVE.zero_rate(np.array([days / 365]))[0])
    # The file has two decimals, and a month is not a twelfth of 365 days.
    assert boxes - found == pytest.approx(BOX_PREMIUM, abs=1e-4)
