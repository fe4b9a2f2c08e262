"""The model of the configuration: every key, its type, its bounds and its default.

``config.yaml`` shows the same keys with a comment each, ``docs/configuration.md`` explains them.
"""

from __future__ import annotations

from functools import cache, reduce
from math import inf
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    create_model,
    field_validator,
    model_validator,
)

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.feeds.base import Universe
from live_box_spreads.feeds.options import (
    BaseUrl,
    Count,
    Days,
    FeedOptions,
    FromZeroOfSpot,
    HomePath,
    Interval,
    Minutes,
    Name,
    OfSpot,
    Points,
    Port,
    Rate,
    Secs,
    Section,
    Snapshots,
)
from live_box_spreads.model.errors import ConfigError, did_you_mean
from live_box_spreads.model.products import loan_product
from live_box_spreads.model.quality import LegFlag, QualityRules
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis
from live_box_spreads.net.addresses import is_loopback_host
from live_box_spreads.reference.sources import DEFAULT_MAX_AGE_DAYS
from live_box_spreads.stores.snapshots import SnapshotStore
from live_box_spreads.vendors.catalogue import VENDORS, check_feed_name

if TYPE_CHECKING:
    from live_box_spreads.feeds.vendor import Vendor

DEFAULT_ROOTS = ("SPX", "SPXW", "XSP", "NDX", "NDXP")


def _loopback_only(host: str) -> str:
    if not is_loopback_host(host):
        raise ValueError(
            "the dashboard has no login, so it listens on loopback only; use 127.0.0.1, ::1 or "
            "localhost"
        )
    return host


def _at_least_one(items: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not Field(min_length=1), which says so too when an item is of the wrong type.
    if not items:
        raise ValueError("should have at least one item")
    return items


def _loan_roots(roots: tuple[str, ...]) -> tuple[str, ...]:
    for root in roots:
        loan_product(root)
    if len(set(roots)) < len(roots):
        raise ValueError("each option root should be there once")
    return roots


def _gap_by_root(value: Any) -> Any:
    """Write a plain number as the mapping ``{"default": number}``."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"default": value}
    if not isinstance(value, dict):
        raise ValueError("should be a number, or a mapping root: number with a `default`")  # noqa: TRY004, pydantic reports ValueError only
    return value


def _known_roots_and_default(gaps: dict[str, float]) -> dict[str, float]:
    if "default" not in gaps:
        raise ValueError("the mapping should have a `default` for the roots that it does not name")
    _loan_roots(tuple(root for root in gaps if root != "default"))
    return gaps


def _flag_names(names: tuple[str, ...]) -> tuple[str, ...]:
    known = [str(flag.name).lower() for flag in LegFlag]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ValueError(f"no quality flag {name!r}; known: {', '.join(known)}.{hint}")
    return names


StrikeGap = Annotated[
    dict[str, Points],
    BeforeValidator(_gap_by_root),
    AfterValidator(_known_roots_and_default),
]


class QualitySettings(Section):
    """When a quote is doubted, and which doubts keep it out of the boxes."""

    stale_after_secs: Secs = 300.0
    max_half_spread_points: Points | None = None
    exclude: Annotated[tuple[str, ...], AfterValidator(_flag_names)] = ("crossed", "stale")


class SnapshotStorage(Section):
    """Where snapshots are kept, and as what."""

    folder: HomePath = Path("data/live_snapshots")
    format: Literal["parquet", "csv"] = "parquet"


class MoneynessBand(Section):
    """Strikes within ``half_width`` of ``centre``, both as fractions of the spot."""

    name: Name
    centre: OfSpot
    half_width: OfSpot


class DashboardSettings(Section):
    """Where the dashboard listens."""

    host: Annotated[str, AfterValidator(_loopback_only)] = "127.0.0.1"
    port: Port = 8050


class ReferenceSettings(Section):
    """What box rates are compared with."""

    source: Literal["none", "treasury", "fred", "sofr", "file"] = "none"
    file: HomePath | None = None
    max_age_days: Days = DEFAULT_MAX_AGE_DAYS
    address: BaseUrl | None = None
    cache_folder: HomePath | None = None

    @model_validator(mode="after")
    def _file_for_the_source_file(self) -> Self:
        if self.source == "file" and self.file is None:
            raise ValueError("the source is a file; name it: reference.file")
        return self


class BaseSettings(Section):
    """All of the configuration but the vendors' sections, which `settings_class` adds.

    Its methods give plain values to the floors below.
    """

    vendors: ClassVar[tuple[Vendor, ...]] = ()

    feed: str = "simulated"
    tickers: Annotated[
        tuple[str, ...], AfterValidator(_at_least_one), AfterValidator(_loan_roots)
    ] = DEFAULT_ROOTS
    expiries_per_ticker: Count = 8
    expiry_selection: Literal["spread", "nearest"] = "spread"
    strike_moneyness: tuple[FromZeroOfSpot, OfSpot] = (0.8, 1.2)
    collection: Literal["stream", "poll"] = "stream"
    min_volume: Count = 0
    min_open_interest: Count = 0
    min_strike_gap: StrikeGap = Field({"default": 50.0, "XSP": 5.0, "NDX": 100.0, "NDXP": 100.0})
    max_strike_gap: StrikeGap = Field({"default": 3e3, "XSP": 300.0, "NDX": 1e4, "NDXP": 1e4})
    price_selector: Literal["mid", "bid", "ask"] = "mid"
    max_abs_rate: Rate = 0.25
    quality: QualitySettings = QualitySettings()
    snapshot_storage: SnapshotStorage = SnapshotStorage()
    update_interval_seconds: Interval = 60.0
    max_snapshots_retained: Snapshots = 500
    surface_history_minutes: Minutes = 240.0
    time_basis: TimeBasis = TimeBasis.SETTLEMENT
    compounding: Compounding = Compounding.EFFECTIVE
    fit: CurveFit = CurveFit.JOINT
    moneyness_bands: Annotated[tuple[MoneynessBand, ...], AfterValidator(_at_least_one)] = (
        MoneynessBand(name="at the money", centre=1.0, half_width=0.05),
        MoneynessBand(name="low strikes", centre=0.85, half_width=0.05),
        MoneynessBand(name="high strikes", centre=1.15, half_width=0.05),
    )
    dashboard: DashboardSettings = DashboardSettings()
    feed_options: dict[str, Any] = Field({})
    reference: ReferenceSettings = ReferenceSettings()

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        low, high = self.strike_moneyness
        if low >= high:
            raise ValueError(f"strike_moneyness = [{low:g}, {high:g}]: the first should be lower")
        for root in (*self.tickers, "default"):
            low, high = _of_root(self.min_strike_gap, root), _of_root(self.max_strike_gap, root)
            if low > high:
                raise ValueError(
                    f"min_strike_gap = {low:g} is above max_strike_gap = {high:g} for {root}"
                )
        names = [band.name for band in self.moneyness_bands]
        if len(set(names)) < len(names):
            raise ValueError(f"moneyness_bands: names should differ, they are {names}")
        return self

    @field_validator("feed")
    @classmethod
    def _feed_is_found(cls, name: str) -> str:
        try:
            return check_feed_name(name, cls.vendors)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _feed_may_be_collected(self) -> Self:
        vendor = self.vendor()
        if vendor is None:
            return self
        options: FeedOptions = getattr(self, vendor.section)
        if conflict := options.conflict(self.snapshot_folder):
            raise ValueError(conflict)
        return self

    @property
    def snapshot_folder(self) -> Path:
        """Where the snapshots are; absolute once it comes from ``load_settings``."""
        return self.snapshot_storage.folder

    def vendor(self) -> Vendor | None:
        """Return the description of the configured feed; None if a package brings the feed."""
        return next((vendor for vendor in self.vendors if vendor.feed == self.feed), None)

    def options(self) -> dict[str, Any]:
        """Return the section of the configured feed; ``feed_options`` if a package brings it."""
        vendor = self.vendor()
        return self.feed_options if vendor is None else dict(getattr(self, vendor.section))

    def universe(self) -> Universe:
        """Return what the collector quotes."""
        return Universe(
            roots=self.tickers,
            expiries_per_root=self.expiries_per_ticker,
            expiry_selection=self.expiry_selection,
            moneyness=self.strike_moneyness,
        )

    def quality_rules(self) -> QualityRules:
        """Return when a leg is flagged, and which flags keep it out of the boxes."""
        limit = self.quality.max_half_spread_points
        return QualityRules(
            stale_after_secs=self.quality.stale_after_secs,
            max_half_spread_points=inf if limit is None else limit,
            exclude=reduce(or_, (LegFlag[n.upper()] for n in self.quality.exclude), LegFlag.OK),
        )

    def box_filters(self, root: str) -> BoxFilters:
        """Return the thresholds for the boxes of a root."""
        return BoxFilters(
            min_strike_gap=_of_root(self.min_strike_gap, root),
            max_strike_gap=_of_root(self.max_strike_gap, root),
            min_volume=self.min_volume,
            min_open_interest=self.min_open_interest,
            max_abs_rate=self.max_abs_rate,
        )

    def conventions(self) -> Conventions:
        """Return how chains are read: time, rates, thresholds and doubts."""
        return Conventions(
            basis=self.time_basis,
            compounding=self.compounding,
            filters=self.box_filters,
            rules=self.quality_rules(),
            fit=self.fit,
        )

    def store(self) -> SnapshotStore:
        """Return the snapshot store; nothing is created or touched yet."""
        return SnapshotStore(
            self.snapshot_folder,
            file_format=self.snapshot_storage.format,
            retain=self.max_snapshots_retained,
        )


@cache
def settings_class(vendors: tuple[Vendor, ...]) -> type[BaseSettings]:
    """Return the model of a whole configuration, with a section for each vendor."""
    sections: dict[str, Any] = {v.section: (v.options, v.options()) for v in vendors}
    doc = "The whole configuration, validated."
    model = create_model("Settings", __base__=BaseSettings, __doc__=doc, **sections)
    model.vendors = vendors
    return model


if TYPE_CHECKING:
    Settings = BaseSettings
else:
    Settings = settings_class(VENDORS)


def _of_root(gaps: dict[str, float], root: str) -> float:
    return gaps.get(root, gaps["default"])
