"""The usual reason among many."""

from __future__ import annotations

from live_box_spreads.books.views.reasons import usual_reason


def test_reasons_of_one_kind_differ_in_their_numbers_and_count_together() -> None:
    reasons = ["expired", "", "known only to ±1,210 bp", "expired", "known only to ±99.5 bp"]
    assert usual_reason([*reasons, "known only to ±3 bp"]) == ("known only to ±1,210 bp", 3)
    assert usual_reason(reasons[:4]) == ("expired", 2)


def test_no_reason_is_none() -> None:
    assert usual_reason([]) == usual_reason(["", ""]) == ("", 0)
