"""Days and moments as web pages write them, in the languages of their readers.

A browser writes the header of a Cboe export in its own language: ``31 de agosto de 2025 às 22:33
GMT-4``. The parts are told apart by what they are, not by where they stand.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from live_box_spreads.model.sessions import NEW_YORK

if TYPE_CHECKING:
    from datetime import tzinfo

# English, Portuguese, Spanish, German, French, Italian, Dutch, the Scandinavian languages,
# Polish, Russian and Turkish, accents removed. A word of three letters or more stands for the
# month whose name it begins.
_MONTHS = (
    "january januar janeiro enero janvier gennaio januari janner stycznia января ocak",
    "february februar fevereiro febrero fevrier febbraio februari feber lutego февраля subat",
    "march marz maerz mrz marco marzo mars maart mrt marts marca марта mart",
    "april abril avril aprile kwietnia апреля nisan",
    "may mai maio mayo maggio mei maj maja мая mayis",
    "june juni junho junio juin giugno czerwca июня haziran",
    "july juli julho julio juillet luglio lipca июля temmuz",
    "august agosto aout augustus augusti sierpnia августа agustos",
    "september setembro septiembre setiembre septembre settembre wrzesnia сентября eylul",
    "october oktober outubro octubre octobre ottobre pazdziernika октября ekim",
    "november novembro noviembre novembre listopada ноября kasim",
    "december dezember dezembro diciembre decembre dicembre desember grudnia декабря aralik",
)
_NAMES = {name: month for month, names in enumerate(_MONTHS, 1) for name in names.split()}
_SHORTEST_NAME = 3

_WORD = re.compile(r"[^\W\d_]+")
_ISO = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_IDEOGRAPHIC = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_DAY = re.compile(r"(?<![\d:])(\d{1,2})(?:st|nd|rd|th|er|o|a|\.)?(?![\w:])")
_CLOCK = re.compile(r"(?<!\d)(\d{1,2})\s?[:h]\s?(\d{2})(?::(\d{2}))?(?!\d)")
_NORDIC_CLOCK = re.compile(r"\b(kl\.?|klo) (\d{1,2})\.(\d{2})(?!\d)")
_HALF_OF_DAY = re.compile(r"\s*([ap])\s?\.?\s?m\b", re.IGNORECASE)
_AFTERNOON = re.compile(r"下午|오후|午後")
_FORENOON = re.compile(r"上午|오전|午前")
_UTC_OFFSET = re.compile(r"(?:GMT|UTC|(?<=\d)Z\b)\s*(?:([+-])\s?(\d{1,2})(?::?(\d{2}))?)?")
_BARE_OFFSET = re.compile(r"(?<=\d)\s?([+-])(\d{2}):?(\d{2})\s*$")
_ZONE_NAME = re.compile(r"\b(?!(?:AM|PM)\b)[A-Z]{2,5}\b")

_NEW_YORK_ZONES = {"ET", "EST", "EDT", "HAE", "HNE"}  # the last two are French Canadian
_OTHER_ZONES_HOURS = {"CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_ONE_DAY = timedelta(days=1)
_NOON = 12
_MONTHS_A_YEAR = 12


def parse_day(text: str) -> date | None:
    """Return the day that a text names; None if it names none.

    Understands month names of seven languages in any order with day and year, ISO days,
    ``MM/DD/YYYY`` (``DD/MM/YYYY`` where only that is a date), ``DD.MM.YYYY`` and ``年月日``.
    """
    text = _plain(text)
    if match := _IDEOGRAPHIC.search(text):
        return _valid_day(int(match[1]), int(match[2]), int(match[3]))
    if match := _ISO.search(text):
        return _valid_day(int(match[1]), int(match[3]), int(match[4]))
    if match := _NUMERIC.search(text):
        day_first = match[2] == "." or int(match[1]) > _MONTHS_A_YEAR
        day, month = (match[1], match[3]) if day_first else (match[3], match[1])
        return _valid_day(int(match[4]), int(month), int(day))
    return _named_day(text)


def parse_moment(text: str) -> datetime | None:
    """Return the moment that a text names, with a time zone: its own, else New York's.

    Args:
        text: such as ``March 22, 2024 at 9:40 PM EDT`` or ``Jan 24 2011 @ 14:03 ET``.

    Returns:
        None if the day or the time is not understood, or the time zone is not a known one.
    """
    text = _plain(text)
    zone = _zone(text)
    text = _BARE_OFFSET.sub(" ", _UTC_OFFSET.sub(" ", text))
    text = _NORDIC_CLOCK.sub(r"\2:\3", text)
    clock = _CLOCK.search(text)
    if clock is None or zone is None:
        return None
    moment = _time_of_day(clock, text)
    day = parse_day(text[: clock.start()] + " " + text[clock.end() :])
    if day is None or moment is None:
        return None
    return datetime.combine(day, moment, zone)


def _plain(text: str) -> str:
    """Remove accents and typographic spaces and signs."""
    text = unicodedata.normalize("NFKC", text)
    text = text.replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    text = text.replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")
    letters = unicodedata.normalize("NFD", text)
    unmarked = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return unicodedata.normalize("NFC", unmarked).strip()


def _named_day(text: str) -> date | None:
    """Read a day with a month by name. Of two names the last counts: ``mar. 4 sept. 2025``."""
    months = [month for word in _WORD.findall(text) if (month := _month(word.lower()))]
    year = _YEAR.search(text)
    if not months or year is None:
        return None
    day = _DAY.search(text[: year.start()] + " " + text[year.end() :])
    return None if day is None else _valid_day(int(year[1]), months[-1], int(day[1]))


def _month(word: str) -> int | None:
    """Return the month that a word names, or shortens without doubt."""
    if word in _NAMES:
        return _NAMES[word]
    if len(word) < _SHORTEST_NAME:
        return None
    months = {month for name, month in _NAMES.items() if name.startswith(word)}
    return months.pop() if len(months) == 1 else None


def _valid_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _time_of_day(clock: re.Match[str], text: str) -> time | None:
    """Read the clock; a forenoon or afternoon mark makes it one of twelve hours."""
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    half = _HALF_OF_DAY.match(text, clock.end())
    afternoon = half[1].lower() == "p" if half else bool(_AFTERNOON.search(text))
    if half or afternoon or _FORENOON.search(text):
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if afternoon else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        return None


def _zone(text: str) -> tzinfo | None:
    """Return the time zone that a text names, New York's if it names none, None if unknown."""
    offset = _UTC_OFFSET.search(text) or _BARE_OFFSET.search(text)
    if offset is not None:
        if offset[1] is None:
            return UTC
        distance = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        if distance >= _ONE_DAY:
            return None
        return timezone(distance if offset[1] == "+" else -distance)
    names = [name for name in _ZONE_NAME.findall(text) if _month(name.lower()) is None]
    if not names or names[-1] in _NEW_YORK_ZONES:
        return NEW_YORK
    hours = _OTHER_ZONES_HOURS.get(names[-1])
    return None if hours is None else timezone(timedelta(hours=hours))
