"""Each control of the page at its extremes, one at a time, and markets that lack something."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.books.desk import Desk
from live_box_spreads.dashboard.choices import BoxOptions, Choices
from live_box_spreads.dashboard.parts import PARTS
from live_box_spreads.model.rates import Compounding
from live_box_spreads.service.snapshots import Market
from tests.dashboard.page_check import check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.model.chain import Chain

SHORT, LONG = 2, 2
"""Expiries that a thinned chain keeps: the first ones, and some evenly over the others."""
BEYOND_ALL = 10**9
ALWAYS = {
    *("usual", "volume 1", f"volume {BEYOND_ALL}", "over snapshots"),
    *("expiry first, by expiry", "expiry first, by snapshot"),
}
"""These cases every root of every chain has; of the others each has one in ``TURNS``, in turn."""
TURNS = 6


@dataclass(frozen=True, slots=True)
class Case:
    """Choices, and the controls by which they differ from the usual ones."""

    choices: Choices
    changed: tuple[str, ...]


def cases(root: str, expiries: list[date]) -> dict[str, Case]:
    """Return the usual choices, and those with one control at an extreme."""
    usual = Choices(root, expiry=expiries[len(expiries) // 2], history_minutes=60)
    found = {"usual": Case(usual, tuple({name for part in PARTS for name in part.controls}))}
    for volume in (1, BEYOND_ALL):
        options = BoxOptions(min_leg_volume=volume)
        found[f"volume {volume}"] = Case(replace(usual, options=options), ("min_leg_volume",))
    for kind in Compounding:
        options = BoxOptions(kind)
        found[kind.value] = Case(replace(usual, options=options), ("compounding",))
    bands = {"no box in the band": (3.0, 0.05), "a thin band": (1.0, 1e-6), "all": (1.0, 9.0)}
    for name, (centre, half_width) in bands.items():
        found[name] = Case(replace(usual, centre=centre, half_width=half_width), ("centre",))
    for price in ("bid", "ask"):
        found[price] = Case(replace(usual, price=price), ("price",))
    found["to borrow"] = Case(replace(usual, side="borrow"), ("side",))
    found["over snapshots"] = Case(replace(usual, time="snapshot"), ("time",))
    found["no history"] = Case(replace(usual, time="snapshot", history_minutes=0.0), ("history",))
    chosen = {"none": None, "first": expiries[0], "last": expiries[-1]}
    for name, expiry in chosen.items():
        for time in ("expiry", "snapshot"):
            choices = replace(usual, expiry=expiry, time=time)
            found[f"expiry {name}, by {time}"] = Case(choices, ("expiry",))
    return found


def odd_chains(chain: Chain, root: str) -> dict[str, Chain]:
    """Return what a chain becomes that lacks something."""
    quotes = chain.quotes.filter(pl.col("root") == root)
    nan = pl.lit(float("nan"))
    middle = quotes["strike"].sort()[len(quotes) // 2]
    tables = {
        "no quotes": quotes.with_columns(bid=nan, ask=nan),
        "no bids": quotes.with_columns(bid=nan),
        "bids of zero": quotes.with_columns(bid=pl.lit(0.0)),
        "no volume": quotes.with_columns(volume=pl.lit(None, pl.Int64)),
        "one expiry": quotes.filter(pl.col("expiry") == pl.col("expiry").max()),
        "one strike": quotes.filter(pl.col("strike") == middle),
        "calls only": quotes.filter(pl.col("right") == "C"),
        "few strikes": quotes.filter(pl.col("strike").rank("dense").over("expiry") % 40 == 1),
    }
    odd = {name: replace(chain, quotes=table) for name, table in tables.items()}
    whole = replace(chain, quotes=quotes)
    for name, spot in (("spot unknown", {}), ("spot of zero", 0.0), ("spot far off", 1e-3)):
        prices = dict.fromkeys(chain.spot, spot) if isinstance(spot, float) else spot
        odd[name] = replace(whole, spot=prices)
    last = quotes["expiry"].max()
    days = (last - chain.snapshot_time.date()).days + 10  # type: ignore[operator,union-attr] # dates
    odd["all passed"] = replace(whole, snapshot_time=chain.snapshot_time + timedelta(days=days))
    return odd


def thinned(chain: Chain) -> Chain:
    """Return a chain with all strikes of few expiries of each root, the soonest among them."""
    keep: list[tuple[str, date]] = []
    for root in chain.roots:
        expiries = chain.expiries(root)
        later = expiries[SHORT:]
        keep += [(root, day) for day in expiries[:SHORT]]
        keep += [(root, day) for day in later[len(later) // LONG :: max(1, len(later) // LONG)]]
    kept = pl.DataFrame(keep, schema={"root": pl.String, "expiry": pl.Date}, orient="row")
    quotes = chain.quotes.join(kept, on=["root", "expiry"], how="semi", maintain_order="left")
    return replace(chain, quotes=quotes)


def check_controls(view: MarketView, chain: Chain, turn: int) -> Iterator[str]:
    """Check every part of the page for each root with controls at their extremes.

    Args:
        view: of a folder of its own.
        chain: the newest snapshot; the one before has the same quotes.
        turn: which of the cases that are not ``ALWAYS`` checked.

    Yields:
        What each part says instead of a picture.
    """
    store = view.settings.store()
    store.write(_earlier(chain, timedelta(minutes=1)))
    path = store.write(chain)
    market = Market(path, Desk(chain, view.settings.conventions()), path.name)
    for turned, root in enumerate(market.desk.loan_roots, start=turn):
        every = cases(root, chain.expiries(root))
        others = [name for name in every if name not in ALWAYS]
        for name in (*ALWAYS, *others[turned % TURNS :: TURNS]):
            case = every[name]
            parts = [part for part in PARTS if set(part.controls) & set(case.changed)]
            yield from _checked(view, market, case.choices, f"{root}, {name}", parts)
    absent = Choices("ABSENT", expiry=chain.expiries(chain.roots[0])[0])
    yield from _checked(view, market, absent, "a root that is not there", PARTS)


def _earlier(chain: Chain, by: timedelta) -> Chain:
    quotes = chain.quotes.with_columns(quote_time=pl.col("quote_time") - by)
    return replace(chain, quotes=quotes, snapshot_time=chain.snapshot_time - by)


def check_odd(view: MarketView, markets: Mapping[str, Chain], root: str) -> Iterator[str]:
    """Check every part of the page on markets that lack something, by name."""
    for name, chain in markets.items():
        desk = Desk(chain, view.settings.conventions())
        market = Market(Path(f"snapshot_20250101_000000.{name}.parquet"), desk, name)
        expiries = chain.expiries(root)
        chosen = Choices(root, expiry=expiries[len(expiries) // 2] if expiries else None)
        yield from _checked(view, market, chosen, name, PARTS)


def _checked(
    view: MarketView, market: Market, choices: Choices, case: str, parts: Iterable[object]
) -> Iterator[str]:
    for part in PARTS:
        if part not in parts:
            continue
        try:
            sent = check(part, view, market, choices)
        except BaseException as error:
            error.add_note(f"{part.name}: {case}")
            raise
        if sent.get("message"):
            yield sent["message"]
