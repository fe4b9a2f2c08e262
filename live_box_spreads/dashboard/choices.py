"""What a person chose with the controls, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from live_box_spreads.model.rates import Compounding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from live_box_spreads.books.boxes.search import Side
    from live_box_spreads.dashboard.theme import Scheme

_LARGEST = 1e15
_LONGEST_HISTORY_MINUTES = 10 * 366 * 24 * 60.0

TimeChoice = Literal["expiry", "snapshot"]
Price = Literal["mid", "bid", "ask"]


@dataclass(frozen=True, slots=True)
class BoxOptions:
    """The choices that change the boxes themselves.

    Attributes:
        compounding: convention of the three rates.
        min_leg_volume: least volume of the least traded leg, in contracts.
    """

    compounding: Compounding = Compounding.EFFECTIVE
    min_leg_volume: int = 0


@dataclass(frozen=True, slots=True)
class Choices:
    """All choices; a panel looks at those that concern it.

    Attributes:
        root: option root.
        expiry: expiry of the skew and of the history; None while none is chosen.
        options: what changes the boxes.
        time: whether the rows of a surface are expiries or snapshots.
        history_minutes: how far back a history goes.
        centre: middle of the moneyness band, as a fraction of spot.
        half_width: half the width of the band, as a fraction of spot.
        price: which rate the term structure shows.
        side: which boxes the table shows.
        scheme: light or dark.
    """

    root: str
    expiry: date | None = None
    options: BoxOptions = BoxOptions()
    time: TimeChoice = "expiry"
    history_minutes: float = 0.0
    centre: float = 1.0
    half_width: float = 0.05
    price: Price = "mid"
    side: Side = "lend"
    scheme: Scheme = "light"

    @classmethod
    def read(cls, controls: Mapping[str, Any]) -> Choices:
        """Return the choices that the values of some controls stand for.

        A number field that is empty or half written while a person types stands for its default.
        """
        values: dict[str, Any] = {
            name: controls[name]
            for name in ("time", "price", "side", "scheme")
            if controls.get(name)
        }
        values["root"] = controls.get("root") or ""
        if controls.get("expiry"):
            values["expiry"] = date.fromisoformat(controls["expiry"])
        if (minutes := _number(controls.get("history"))) is not None:
            values["history_minutes"] = min(max(minutes, 0.0), _LONGEST_HISTORY_MINUTES)
        for name in ("centre", "half_width"):
            if per_cent := _number(controls.get(name)):
                values[name] = per_cent / 100
        volume = int(_number(controls["min_leg_volume"]) or 0)
        return cls(options=BoxOptions(Compounding(controls["compounding"]), volume), **values)


def _number(value: Any) -> float | None:
    """Return what a field holds, cut to what columns of integers can be compared with.

    None where it is empty or no finite number, such as ``-`` while a person types.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return min(max(number, -_LARGEST), _LARGEST) if isfinite(number) else None
