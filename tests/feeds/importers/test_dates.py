from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from live_box_spreads.feeds.importers.cboe_header import quote_time_of_download
from live_box_spreads.feeds.importers.dates import parse_day, parse_moment

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = datetime(2025, 9, 1, 2, 33, tzinfo=UTC)  # August 31, 22:33 in New York


@pytest.mark.parametrize(
    "text",
    [
        "31 de agosto de 2025 às 22:33 GMT-4",  # Portuguese
        "31 de agosto de 2025, 22:33 GMT-4",  # Spanish
        "31 de agosto de 2025, 10:33 p. m. GMT-4",
        "31. August 2025 um 22:33 GMT-4",  # German
        "am 31. August 2025 um 22:33 Uhr GMT-4",
        "31 août 2025 à 22:33 UTC\N{MINUS SIGN}4",  # French
        "31 août 2025 à 22 h 33 HAE",
        "31 agosto 2025 alle ore 22:33 GMT-4",  # Italian
        "31 augustus 2025 om 22:33 GMT-4",  # Dutch
        "31. august 2025 kl. 22.33 GMT-4",  # Danish
        "31 augusti 2025 kl. 22:33 GMT-4",  # Swedish
        "31 sierpnia 2025 22:33 GMT-4",  # Polish
        "31 августа 2025, 22:33 GMT-4",  # Russian
        "31 Ağustos 2025 22:33 GMT-4",  # Turkish
        "2025年8月31日 22:33 GMT-4",
        "2025年8月31日 GMT-4 22:33",
        "2025年8月31日 下午10:33 GMT-4",
        "2025년 8월 31일 오후 10:33 GMT-4",
        "August 31, 2025 at 10:33 PM EDT",
        "August 31, 2025 at 10:33\N{NARROW NO-BREAK SPACE}PM EDT",
        "August 31, 2025, 10:33 p.m. ET",
        "31 August 2025 at 22:33 GMT-4",
        "Aug 31 2025 @ 22:33 ET",
        "Aug 31 2025 @ 22:33 ET (Data 15 Minutes Delayed)",
        "Sun, 31st of Aug 2025 22:33:00",
        "September 1, 2025 at 2:33 AM GMT",
        "September 1, 2025 at 04:33 GMT+2",
        "September 1, 2025 at 08:03 GMT+5:30",
        "August 31, 2025 at 9:33 PM CDT",
        "2025-08-31T22:33:00-04:00",
        "2025-09-01T02:33:00Z",
        "2025-08-31 22:33",
        "08/31/2025 10:33 PM",
        "31/08/2025 22:33",
        "31.08.2025 22:33",
    ],
)
def test_one_moment_in_many_spellings(text: str) -> None:
    found = parse_moment(text)
    assert found is not None
    assert found.astimezone(UTC) == NIGHT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S&P 500 INDEX",
        "August 31, 2025",
        "22:33 GMT-4",
        "February 30, 2025 at 10:33 PM EDT",
        "August 31, 2025 at 25:33",
        "August 31, 2025 at 13:33 PM",
        "August 31, 2025 at 10:33 PM XYZT",
    ],
)
def test_what_names_no_moment(text: str) -> None:
    assert parse_moment(text) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Fri Mar 22 2024", date(2024, 3, 22)),
        ("03/23/2020", date(2020, 3, 23)),
        ("23/03/2020", date(2020, 3, 23)),
        ("4 de março de 2025", date(2025, 3, 4)),
        ("4. März 2025", date(2025, 3, 4)),
        ("mar. 4 sept. 2025", date(2025, 9, 4)),  # a French Tuesday in September
        ("1er février 2026", date(2026, 2, 1)),
        ("15 mai 2026", date(2026, 5, 15)),
        ("3 de outubro de 2024", date(2024, 10, 3)),
        ("5 dic 2024", date(2024, 12, 5)),
        ("7 juillet 2024", date(2024, 7, 7)),
        ("7 juin 2024", date(2024, 6, 7)),
        ("7 jui 2024", None),  # June or July
        ("no day", None),
    ],
)
def test_days(text: str, day: date | None) -> None:
    assert parse_day(text) == day


@pytest.mark.parametrize(
    ("downloaded", "quoted"),
    [
        ((2011, 1, 24, 14, 3), (2011, 1, 24, 13, 48)),
        ((2018, 10, 15, 20, 0), (2018, 10, 15, 16, 15)),
        ((2020, 3, 22, 18, 24), (2020, 3, 20, 16, 15)),  # Sunday
        ((2025, 8, 31, 22, 33), (2025, 8, 29, 16, 15)),  # Sunday before Labor Day
        ((2025, 9, 2, 9, 44), (2025, 8, 29, 16, 15)),  # the page shows 09:29
        ((2025, 9, 2, 9, 45), (2025, 9, 2, 9, 30)),
        ((2026, 8, 3, 5, 22), (2026, 7, 31, 16, 15)),  # Monday before the open
        ((2024, 11, 29, 18, 0), (2024, 11, 29, 13, 15)),  # early close after Thanksgiving
        ((2024, 7, 4, 12, 0), (2024, 7, 3, 13, 15)),  # holiday after an early close
        ((2025, 9, 4, 16, 31), (2025, 9, 4, 16, 15)),
        ((2025, 9, 4, 16, 29), (2025, 9, 4, 16, 14)),
    ],
)
def test_quote_time_is_the_last_regular_moment_shown(
    downloaded: tuple[int, int, int, int, int], quoted: tuple[int, int, int, int, int]
) -> None:
    found = quote_time_of_download(datetime(*downloaded, tzinfo=NEW_YORK))
    assert found == datetime(*quoted, tzinfo=NEW_YORK)
    assert found.tzinfo is UTC
