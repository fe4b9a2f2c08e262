"""Fetching from a server on this machine that answers as the publishers do."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.model.errors import (
    AnswerTooLargeError,
    ApiError,
    ConfigError,
    FeedUnavailableError,
    FileFormatError,
)
from live_box_spreads.model.reference_curve import OvernightRate, ParYieldCurve
from live_box_spreads.net.client import Limits
from live_box_spreads.reference.download import REFRESH_AFTER, Downloads, default_cache_folder
from live_box_spreads.reference.fred import FredSource
from live_box_spreads.reference.sofr import SofrSource
from live_box_spreads.reference.treasury import TreasurySource
from tests.net.hostile import HEAD, sending, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = Path(__file__).parent / "formats"
DAY = date(2025, 9, 4)
ETAG = '"v1"'


@dataclass
class Publisher:
    """What the server answers, by the beginning of a path, and what it was asked."""

    url: str = ""
    bodies: dict[str, bytes] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": ETAG})
    user_agents: set[str] = field(default_factory=set)

    def serve(self, path: str, name: str) -> None:
        self.bodies[path] = (FORMATS / name).read_bytes()

    def answer(self, path: str, if_none_match: str) -> tuple[int, bytes]:
        self.asked.append((path, if_none_match))
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            return status, b"no"
        body = next((found for at, found in self.bodies.items() if path.startswith(at)), None)
        if body is None:
            return 404, b"not found"
        return (304, b"") if if_none_match == ETAG else (200, body)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.user_agents.add(self.headers["User-Agent"])
            asked = self.headers.get("If-None-Match", "")
            status, body = publisher.answer(self.path, asked)
            self.send_response(status)
            for name, value in publisher.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        publisher.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield publisher
        server.shutdown()
        thread.join()


@dataclass
class Clock:
    now: datetime = datetime(2025, 9, 5, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def downloads(tmp_path: Path, clock: Clock) -> Downloads:
    return Downloads(tmp_path / "cache", now=clock)


CSV = "/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/2025/all?"
XML = "/resource-center/data-chart-center/interest-rates/pages/xml?"
FRED = "/graph/fredgraph.csv?id=DGS1MO,DGS3MO,DGS6MO,DGS1,DGS2,DGS3,DGS5,DGS7,DGS10,DGS20,DGS30"
SOFR = "/api/rates/secured/sofr/search.json?"


def test_the_treasurys_csv_of_the_year(publisher: Publisher, downloads: Downloads) -> None:
    publisher.serve(CSV, "treasury_2025.csv")
    history = TreasurySource(downloads, publisher.url).history(DAY, 7)
    curve = history.on(DAY, 7).curve
    assert isinstance(curve, ParYieldCurve)
    assert (curve.name, curve.as_of) == ("Treasury par curve", DAY)
    assert curve.par_yields[12] == pytest.approx(0.0377)
    [(path, _)] = publisher.asked
    assert path.endswith(
        "type=daily_treasury_yield_curve&field_tdr_date_value=2025&page&_format=csv"
    )
    [user_agent] = publisher.user_agents
    assert user_agent.startswith("live-box-spreads/")


@pytest.mark.parametrize("csv_body", [None, b"<html>moved</html>"])
def test_its_xml_where_the_csv_fails(
    publisher: Publisher, downloads: Downloads, csv_body: bytes | None
) -> None:
    if csv_body is not None:
        publisher.bodies[CSV] = csv_body
    publisher.serve(XML, "treasury_2025.xml")
    history = TreasurySource(downloads, publisher.url).history(DAY, 7)
    assert set(history.rows) == {date(2025, 9, 3), DAY}
    assert publisher.asked[-1][0].endswith(
        "data=daily_treasury_yield_curve&field_tdr_date_value=2025"
    )


def test_early_in_january_the_old_year_is_asked_too(
    publisher: Publisher, downloads: Downloads
) -> None:
    publisher.serve(CSV, "treasury_2025.csv")  # 2026 has no page yet: 404
    history = TreasurySource(downloads, publisher.url).history(date(2026, 1, 2), 7)
    assert max(history.rows) == DAY
    years = {path.partition(".csv/")[2][:4] for path, _ in publisher.asked if ".csv/" in path}
    assert years == {"2025", "2026"}


def test_fred_is_asked_for_the_days_that_count(publisher: Publisher, downloads: Downloads) -> None:
    publisher.serve(FRED, "fred.csv")
    history = FredSource(downloads, publisher.url).history(DAY, 7)
    curve = history.on(DAY, 7).curve
    assert isinstance(curve, ParYieldCurve)
    assert curve.par_yields[12] == pytest.approx(0.0377)
    assert publisher.asked == [(FRED + "&cosd=2025-08-28&coed=2025-09-04", "")]


def test_the_new_york_fed_is_asked_for_sofr(publisher: Publisher, downloads: Downloads) -> None:
    publisher.serve(SOFR, "newyorkfed.json")
    curve = SofrSource(downloads, publisher.url).history(DAY, 7).on(DAY, 7).curve
    assert isinstance(curve, OvernightRate)
    assert (curve.name, curve.as_of) == ("SOFR overnight, held flat", DAY)
    assert curve.overnight == pytest.approx(0.0441)
    assert publisher.asked == [(SOFR + "startDate=2025-08-28&endDate=2025-09-04", "")]


def test_a_young_copy_is_used_and_an_old_one_is_asked_for_again(
    publisher: Publisher, downloads: Downloads, clock: Clock
) -> None:
    publisher.serve(SOFR, "newyorkfed.json")
    source = SofrSource(downloads, publisher.url)
    first = source.history(DAY, 7)
    clock.now += REFRESH_AFTER - timedelta(seconds=1)
    assert source.history(DAY, 7) == first
    assert len(publisher.asked) == 1
    clock.now += timedelta(seconds=1)
    assert source.history(DAY, 7) == first  # 304: the copy stands, and is young again
    clock.now += REFRESH_AFTER - timedelta(seconds=1)
    assert source.history(DAY, 7) == first
    assert [etag for _, etag in publisher.asked] == ["", ETAG]


def test_what_has_changed_replaces_the_copy(
    publisher: Publisher, downloads: Downloads, clock: Clock
) -> None:
    publisher.headers = {}
    publisher.serve(SOFR, "newyorkfed.json")
    source = SofrSource(downloads, publisher.url)
    source.history(DAY, 7)
    publisher.bodies[SOFR] = publisher.bodies[SOFR].replace(b"4.41", b"4.42")
    clock.now += REFRESH_AFTER
    assert source.history(DAY, 7).rows[DAY] == pytest.approx(0.0442)
    assert source.history(DAY, 7).rows[DAY] == pytest.approx(0.0442)
    assert len(publisher.asked) == 2


def test_when_nobody_answers_the_copy_stands_and_says_so(
    publisher: Publisher, downloads: Downloads, clock: Clock
) -> None:
    publisher.serve(SOFR, "newyorkfed.json")
    source = SofrSource(downloads, publisher.url)
    rows = source.history(DAY, 7).rows
    clock.now += timedelta(days=3)
    publisher.statuses = [503]
    history = source.history(DAY, 7)
    assert history.rows == rows
    assert history.on(DAY, 7).notice == (
        "no rates from 127.0.0.1: it answered 503; try again later; "
        "the copy of 2025-09-05 12:00 UTC is used"
    )
    assert len(publisher.asked) == 2


def test_a_damaged_copy_is_fetched_again(
    publisher: Publisher, downloads: Downloads, tmp_path: Path
) -> None:
    publisher.serve(SOFR, "newyorkfed.json")
    source = SofrSource(downloads, publisher.url)
    source.history(DAY, 7)
    [kept] = (tmp_path / "cache").iterdir()
    whole = kept.read_bytes()
    for damage in (whole[:40], b"", whole.replace(b"refRates", b"rates")):
        kept.write_bytes(damage)
        assert source.history(DAY, 7).rows[DAY] == pytest.approx(0.0441)
    assert [etag for _, etag in publisher.asked] == [""] * 4


@pytest.mark.parametrize("body", [b"<html>maintenance</html>", b'{"a":' + b"[" * 100_000])
def test_an_answer_that_cannot_be_read_is_not_kept(
    publisher: Publisher, downloads: Downloads, tmp_path: Path, body: bytes
) -> None:
    publisher.bodies[SOFR] = body
    with pytest.raises(FileFormatError, match="not the New York Fed's JSON"):
        SofrSource(downloads, publisher.url).history(DAY, 7)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, "it answered 404; try again later"),
        (500, "it answered 500"),
        (429, "it answered 429"),
        (301, "it answered 301; it points to https://elsewhere.example/; correct"),
    ],
)
def test_a_refusal_is_one_line_and_not_pressed(
    publisher: Publisher, downloads: Downloads, status: int, says: str
) -> None:
    publisher.statuses = [status]
    if status == 301:
        publisher.headers = {"Location": "https://elsewhere.example/"}
    with pytest.raises(ApiError) as refused:
        SofrSource(downloads, publisher.url).history(DAY, 7)
    assert says in str(refused.value)
    assert refused.value.status == status
    assert len(publisher.asked) == 1


def test_a_server_that_is_not_there_is_named(downloads: Downloads) -> None:
    with pytest.raises(FeedUnavailableError, match=r"no rates from 127\.0\.0\.1: .*check"):
        SofrSource(downloads, "http://127.0.0.1:9").history(DAY, 7)


def test_an_answer_beyond_the_limits_costs_no_more_than_that(
    publisher: Publisher, tmp_path: Path, clock: Clock
) -> None:
    publisher.serve(SOFR, "newyorkfed.json")
    source = SofrSource(Downloads(tmp_path, now=clock, limits=Limits(body_bytes=20)), publisher.url)
    with pytest.raises(AnswerTooLargeError, match=r"no rates from 127\.0\.0\.1: .* 20 bytes"):
        source.history(DAY, 7)
    publisher.headers = {}
    SofrSource(Downloads(tmp_path, now=clock), publisher.url).history(DAY, 7)
    clock.now += REFRESH_AFTER
    history = source.history(DAY, 7)
    assert history.rows[DAY] == pytest.approx(0.0441)
    assert "more than 20 bytes" in str(history.on(DAY, 7).notice)
    assert "the copy of 2025-09-05 12:00 UTC is used" in str(history.on(DAY, 7).notice)


async def test_an_answer_that_never_ends_is_given_up(tmp_path: Path) -> None:
    limits = Limits(answer_secs=0.2)
    trickle = sending(HEAD + b"\r\n", b" ", pause_secs=0.01, last_for_ever=True)
    async with serving(trickle) as address:
        source = SofrSource(Downloads(tmp_path, limits=limits), address)
        with pytest.raises(FeedUnavailableError, match=r"no rates from .*: no whole answer within"):
            await asyncio.to_thread(source.history, DAY, 7)


@pytest.mark.parametrize("kind", ["a FIFO", "a folder", "a huge file"])
def test_what_lies_in_the_place_of_a_copy_is_not_read(
    publisher: Publisher, downloads: Downloads, tmp_path: Path, kind: str
) -> None:
    publisher.serve(SOFR, "newyorkfed.json")
    source = SofrSource(downloads, publisher.url)
    source.history(DAY, 7)
    [kept] = (tmp_path / "cache").iterdir()
    kept.unlink()
    if kind == "a FIFO":
        os.mkfifo(kept)
    elif kind == "a folder":
        kept.mkdir()
    else:
        with kept.open("wb") as file:
            file.truncate(10**12)  # a hole, which takes no room
    assert source.history(DAY, 7).rows[DAY] == pytest.approx(0.0441)
    assert [etag for _, etag in publisher.asked] == ["", ""]
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize("url", ["http://home.treasury.gov", "ftp://x", "home.treasury.gov"])
def test_an_address_that_is_not_encrypted_is_refused(downloads: Downloads, url: str) -> None:
    with pytest.raises(ConfigError, match="should be https"):
        SofrSource(downloads, url).history(DAY, 7)


def test_a_folder_that_cannot_be_written_costs_only_the_copy(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    publisher.serve(SOFR, "newyorkfed.json")
    source = SofrSource(Downloads(tmp_path / "file"), publisher.url)
    assert source.history(DAY, 7).rows[DAY] == source.history(DAY, 7).rows[DAY]
    assert len(publisher.asked) == 2


def test_copies_go_where_caches_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_folder() == tmp_path / "live_box_spreads" / "reference"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert default_cache_folder() == tmp_path / ".cache" / "live_box_spreads" / "reference"
