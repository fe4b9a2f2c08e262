"""What holds of every part of the page, whatever the market: a picture or words, none absurd.

``check`` draws a part and looks at what a browser would be sent.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from plotly.utils import PlotlyJSONEncoder

from live_box_spreads.dashboard import ids

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.dashboard.parts import Part
    from live_box_spreads.service.snapshots import Market

NOT_WORDS = re.compile(r"\b(nan|inf|none|nat|null)\b", re.IGNORECASE)
SURFACES = (ids.MID_SURFACE, ids.QUOTED_SURFACE, ids.VOLUME_SURFACE)


def check(part: Part, view: MarketView, market: Market | None, choices: Choices) -> dict[str, Any]:
    """Draw a part, assert that a person can make sense of it, and return what is sent."""
    sent = part.draw(view, market, choices)
    assert set(sent) == set(part.outputs)
    assert json.dumps(sent, cls=PlotlyJSONEncoder)
    for name in ("message", "caption", "note", "label", "spot", "contracts", "boxes", "badge"):
        words = (sent.get(name) or "").replace("; none of", "")
        assert not NOT_WORDS.search(words), sent[name]
    if "figure" in sent:
        _check_panel(part.name, sent["figure"], sent["message"], sent["caption"])
    if "rows" in sent:
        assert bool(sent["rows"]) != bool(sent["message"]), sent["message"]
        json.dumps(sent["rows"], allow_nan=False, default=str)
    return sent


def _check_panel(panel: str, figure: go.Figure, message: str, caption: str) -> None:
    if not figure.data:
        assert message, f"{panel} has neither a picture nor words"
        return
    assert message == ""
    assert caption
    if panel in SURFACES:
        _check_surfaces(figure)
    else:
        _check_flat(figure)


def _check_surfaces(figure: go.Figure) -> None:
    scene = figure.layout.scene
    for axis in (scene.xaxis, scene.yaxis, scene.zaxis):
        _check_axis(axis)
    assert len(scene.yaxis.tickvals) == len(scene.yaxis.ticktext) > 0
    seen = False
    for trace in figure.data:
        z = np.asarray(trace.z, np.float64)
        x, y = (np.asarray(values, np.float64) for values in (trace.x, trace.y))
        assert z.shape == (y.size, x.size)
        assert min(z.shape) >= 2
        assert not np.isinf(z).any()
        assert np.isfinite(x).all()
        assert np.isfinite(y).all()
        assert (np.diff(x) > 0).all()
        assert (np.diff(y) >= 0).all()
        assert (y > 0).all() if scene.yaxis.type == "log" else (y <= 0).all()
        assert trace.customdata is None or np.asarray(trace.customdata).shape == z.T.shape
        known = np.isfinite(z)
        seen |= bool((known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:]).any())
    assert seen


def _check_flat(figure: go.Figure) -> None:
    drawn = 0
    for trace in figure.data:
        x, y = (np.asarray(values, np.float64) for values in (trace.x, trace.y))
        assert x.shape == y.shape
        assert np.isfinite(x).all()
        assert not np.isinf(y).any()
        if figure.layout.xaxis.type == "log":
            assert (x > 0).all()
        drawn += int(np.count_nonzero(np.isfinite(y)))
        if trace.customdata is not None:
            words = " ".join(np.asarray(trace.customdata, dtype=str).ravel())
            assert not NOT_WORDS.search(words), words[:200]
    assert drawn
    _check_axis(figure.layout.yaxis)
    if figure.layout.xaxis.type == "log":
        _check_axis(figure.layout.xaxis)
        assert len(figure.layout.xaxis.tickvals) == len(figure.layout.xaxis.ticktext) > 0


def _check_axis(axis: Any) -> None:
    low, high = axis.range
    assert np.isfinite([low, high]).all()
    assert low < high
    assert axis.type in ("linear", "log", None)
