from __future__ import annotations

from datetime import date

from live_box_spreads.dashboard.choices import BoxOptions, Choices
from live_box_spreads.model.rates import Compounding


def test_controls_become_plain_values() -> None:
    chosen = Choices.read(
        {
            "root": "SPXW",
            "expiry": "2026-12-18",
            "compounding": "simple",
            "min_leg_volume": 25,
            "centre": 95,
            "half_width": 2.5,
            "price": "bid",
            "time": "snapshot",
            "history": "240",
            "scheme": "dark",
        }
    )
    assert chosen == Choices(
        "SPXW",
        expiry=date(2026, 12, 18),
        options=BoxOptions(Compounding.SIMPLE, 25),
        centre=0.95,
        half_width=0.025,
        price="bid",
        time="snapshot",
        history_minutes=240.0,
        scheme="dark",
    )


def test_a_field_that_is_empty_while_a_person_types_is_the_default() -> None:
    chosen = Choices.read(
        {
            "root": "SPX",
            "expiry": None,
            "compounding": "effective",
            "min_leg_volume": "",
            "centre": "",
            "half_width": None,
        }
    )
    assert chosen == Choices("SPX")
