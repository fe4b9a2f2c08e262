"""The conventions of a command: configured ones, with what the command line changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from live_box_spreads.books.conventions import CurveFit
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis

if TYPE_CHECKING:
    from live_box_spreads.books.conventions import Conventions
    from live_box_spreads.cli.options import CompoundingName, FitName, TimeBasisName
    from live_box_spreads.settings import Settings


def conventions(
    settings: Settings,
    compounding: CompoundingName | None,
    time_basis: TimeBasisName | None,
    fit: FitName | None = None,
    **changes: Any,
) -> Conventions:
    """Return the configured conventions with the options of the command line on top.

    Args:
        settings: the configuration.
        compounding: convention of the rates; None for the configured one.
        time_basis: how years are counted; None for the configured way.
        fit: how fair rates are found; None for the configured way.
        changes: further fields of ``Conventions``.
    """
    if compounding:
        changes["compounding"] = Compounding(compounding)
    if time_basis:
        changes["basis"] = TimeBasis(time_basis)
    if fit:
        changes["fit"] = CurveFit(fit)
    return replace(settings.conventions(), **changes)
