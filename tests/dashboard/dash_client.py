"""A browser's side of Dash's protocol: fires the callback of the page and reads its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from live_box_spreads.dashboard import ids

if TYPE_CHECKING:
    import dash

CONTROLS: dict[str, Any] = {
    ids.ROOT: "SPXW",
    ids.EXPIRY: "2025-12-19",
    ids.COMPOUNDING: "effective",
    ids.MIN_VOLUME: 0,
    ids.TIME_AXIS: "expiry",
    ids.HISTORY: "240",
    ids.CENTRE: 100,
    ids.HALF_WIDTH: 5,
    ids.PRICE: "mid",
    ids.SIDE: "lend",
    ids.SCHEME: "light",
    ids.PAINTED: True,
}


@dataclass
class DashClient:
    """Keeps the values of a page's properties, as a browser does."""

    app: dash.Dash
    values: dict[str, Any] = field(default_factory=lambda: dict(CONTROLS))

    def __post_init__(self) -> None:
        self._http = TestClient(self.app.server, base_url="http://127.0.0.1:8050")
        layout = self._http.get("/_dash-layout").json()
        self.values[ids.VERSION] = _data_of(layout, ids.VERSION)
        self.values.setdefault(ids.SHOWN, None)
        self._dependencies = self._http.get("/_dash-dependencies").json()

    def fire(self, output: str, changed: str) -> dict[str, Any]:
        """Fire the callback that fills an output, because a property changed; keep its answer."""
        spec = next(d for d in self._dependencies if output in d["output"])
        answer = self._http.post(
            "/_dash-update-component",
            json={
                "output": spec["output"],
                "outputs": _outputs(spec["output"]),
                "inputs": [self._property(i) for i in spec["inputs"]],
                "state": [self._property(s) for s in spec["state"]],
                "changedPropIds": [changed],
            },
        )
        if answer.status_code == 204:
            return {}
        assert answer.status_code == 200, answer.text
        sent: dict[str, Any] = answer.json()["response"]
        for component, properties in sent.items():
            if component in {ids.VERSION, ids.SHOWN}:
                self.values[component] = properties["data"]
        return sent

    def refresh(self, changed: str = f"{ids.VERSION}.data") -> dict[str, Any]:
        """Return what the page is sent, by component and property."""
        return self.fire(f"{ids.SHOWN}.data", changed)

    def poll(self) -> dict[str, Any]:
        return self.fire(f"{ids.VERSION}.data", f"{ids.POLL}.n_intervals")

    def _property(self, dependency: dict[str, str]) -> dict[str, Any]:
        return {**dependency, "value": self.values.get(dependency["id"], 1)}


def _outputs(text: str) -> Any:
    if not text.startswith(".."):
        return _output(text)
    return [_output(one) for one in text.strip(".").split("...")]


def _output(text: str) -> dict[str, str]:
    component, _, name = text.rpartition(".")
    return {"id": component, "property": name.partition("@")[0]}


def _data_of(node: Any, component: str) -> Any:
    if isinstance(node, list):
        found = (_data_of(child, component) for child in node)
        return next((data for data in found if data is not None), None)
    if not isinstance(node, dict):
        return None
    properties = node.get("props", {})
    if properties.get("id") == component:
        return properties["data"]
    return _data_of(properties.get("children"), component)
