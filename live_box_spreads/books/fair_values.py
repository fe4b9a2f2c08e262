"""Fair values of every expiry of a chain, for whatever is compared with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_box_spreads.books.best_boxes import FairValue
from live_box_spreads.books.curve import why_no_line
from live_box_spreads.books.parity_fit import parity_fits
from live_box_spreads.books.strike_blocks import StrikeBlocks
from live_box_spreads.books.synthetics import synthetics_by_expiry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from live_box_spreads.model.chain import Chain
    from live_box_spreads.model.quality import QualityRules


def fair_values(
    chain: Chain, rules: QualityRules, root: str | None = None
) -> Mapping[tuple[str, date], FairValue]:
    """Return the fitted discount factor of each (root, expiry), or why there is none.

    Raises:
        ChainError: the chain has no such root, or mixes AM and PM settlement in an expiry.
    """
    parts = synthetics_by_expiry(chain, rules, root)
    fits = parity_fits(StrikeBlocks.of(parts))
    reasons = map(why_no_line, parts, fits.reasons)
    values = map(FairValue, fits.discount.tolist(), fits.std_error.tolist(), reasons)
    return dict(zip(fits.keys, values, strict=True))
