"""Try the built wheel on the Python that runs this, outside the checkout: ``smoke.py WHEEL``.

Makes an environment with that Python's venv and pip, installs the requirements by their
hashes and the wheel, and then does what a newcomer does: asks for help, imports a chain, asks for
its curve, opens the dashboard on it, runs the demo. It needs no package itself.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"
PATIENCE_SECS = 300.0

# The market of the made-up chain: quoted on Monday, 2025-12-15, so that the premium is paid on
# the 16th; dated Friday, 2026-12-18, so that the exercise amount is paid on Monday, 370 days later.
RATE, FORWARD, YEARS = 0.05, 6500.0, 370 / 365
TOLERANCE = 1e-4
HEAD = """^SPX (S&P 500 INDEX),6500.00,1.00,
Dec 15 2025 @ 12:00 ET,Bid,6499.5,Ask,6500.5,Size,1x1,Vol,0
Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,\
Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest
"""


def main() -> None:
    """Run every step; the first failure ends it with a traceback."""
    wheel = str(Path(sys.argv[1]).absolute())
    with tempfile.TemporaryDirectory(prefix="boxes-smoke-") as temporary:
        folder = Path(temporary)
        boxes = install(wheel, folder)
        assert "curve" in run(boxes, "--help", cwd=folder)
        (folder / "spx_quotedata.csv").write_text(HEAD + chain_rows(), "utf-8")
        imported = run(boxes, "import", "cboe", "spx_quotedata.csv", "--to", "kept", cwd=folder)
        say(f"import: {imported.strip()}")
        try_curve(boxes, imported.strip(), folder)
        try_dashboard(boxes, folder)
        try_demo(boxes, folder)


def say(text: str) -> None:
    """Print at once, so that a step that hangs is seen."""
    print(f"  {text}", flush=True)


def run(*command: str, cwd: Path) -> str:
    """Return the standard output of a command; fail if it fails."""
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=cwd, env=environment(), check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def environment() -> dict[str, str]:
    """Return the environment without what would change a command or lead it to a checkout."""
    ours = ("BOX_", "TT_", "PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def install(wheel: str, folder: Path) -> str:
    """Return the ``boxes`` command of a new environment."""
    run(sys.executable, "-m", "venv", "environment", cwd=folder)
    pip = [str(folder / "environment/bin/python"), "-m", "pip", "install"]
    pip += ["--quiet", "--disable-pip-version-check"]
    run(*pip, "--require-hashes", "-r", str(REQUIREMENTS), cwd=folder)
    run(*pip, "--no-deps", wheel, cwd=folder)
    boxes = str(folder / "environment/bin/boxes")
    say(f"installed: {run(boxes, '--version', cwd=folder).strip()}, with {sys.executable}")
    return boxes


def chain_rows() -> str:
    """Return quotes ten cents wide around a market without any error."""
    discount = (1 + RATE) ** -YEARS
    rows = []
    for strike in range(6000, 7001, 50):
        call = discount * max(FORWARD - strike, 0) + 20
        put = discount * max(strike - FORWARD, 0) + 20
        sides = (
            f"SPX261218{right}{strike * 1000:08d},0,0,{mid - 0.05:.2f},{mid + 0.05:.2f},5,0,0,0,9"
            for right, mid in (("C", call), ("P", put))
        )
        rows.append(f"Fri Dec 18 2026,{next(sides)},{strike}.00,{next(sides)}")
    return "\n".join(rows) + "\n"


def try_curve(boxes: str, snapshot: str, folder: Path) -> None:
    """Compare the fair rate with the one that the chain was made from."""
    table = run(boxes, "curve", snapshot, "--root", "SPX", "--format", "csv", cwd=folder)
    (row,) = csv.DictReader(table.splitlines())
    assert row["days"] == "370", row
    assert abs(float(row["fair_rate"]) - RATE) < TOLERANCE, row
    say(f"curve: {float(row['fair_rate']):.4%} over {row['days']} days")


def try_dashboard(boxes: str, folder: Path) -> None:
    """Let the page compute the headline rates of the imported chain, as a browser would."""
    (folder / "my.yaml").write_text("snapshot_storage: {folder: kept}\n", "utf-8")
    with server(boxes, "dashboard", "--config", "my.yaml", folder=folder) as url:
        layout = fetch(f"{url}_dash-layout")
        (callback,) = [
            each for each in fetch(f"{url}_dash-dependencies") if "tiles.children" in each["output"]
        ]
        answer = fetch(
            f"{url}_dash-update-component",
            {
                "output": callback["output"],
                "outputs": outputs_of(callback["output"]),
                "inputs": with_values(callback["inputs"], layout),
                "state": with_values(callback["state"], layout),
                "changedPropIds": [],
            },
        )
        text = json.dumps(answer["response"]["tiles"])
        assert "5.00" in text, text[:2000]
    say("dashboard: answers with the rate")


def try_demo(boxes: str, folder: Path) -> None:
    """Run the demo until its page shows a snapshot."""
    with server(boxes, "demo", "--no-browser", "--folder", "demo", folder=folder) as url:
        wait_until(lambda: any((folder / "demo").glob("snapshot_*.parquet")), "a snapshot")
        assert "SPXW" in json.dumps(fetch(f"{url}_dash-layout"))
    say("demo: its page shows a snapshot")


@contextlib.contextmanager
def server(*command: str, folder: Path) -> Iterator[str]:
    """Give the address of a started server when it answers; end it, and see that it ends well."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 - our own commands
        [*command, "--port", str(port)], cwd=folder, env=environment(), stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}/"
    try:

        def answers() -> bool:
            assert process.poll() is None, f"{command} ended with status {process.returncode}"
            with contextlib.suppress(OSError):
                return bool(fetch(f"{url}_dash-layout"))
            return False

        wait_until(answers, "an answer of the page")
        yield url
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=60)
        assert status in {0, -signal.SIGTERM}, f"{command} ended with status {status}"
    finally:
        process.kill()


def fetch(url: str, body: dict[str, Any] | None = None) -> Any:
    """Return the JSON of an answer; with a body, post it."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - our own server
    with urlopen(request, timeout=60) as reply:  # noqa: S310
        return json.load(reply)


def wait_until(ready: Any, what: str) -> None:
    """Poll until it is so."""
    deadline = time.monotonic() + PATIENCE_SECS
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not come in {PATIENCE_SECS:g} s"
        time.sleep(0.5)


def outputs_of(name: str) -> list[dict[str, str]]:
    """Return the outputs in the name of a callback, ``..one.property...other.property..``."""
    parts = [part.rpartition(".") for part in name.strip(".").split("...")]
    return [{"id": identity, "property": prop} for identity, _, prop in parts]


def with_values(dependencies: list[dict[str, Any]], layout: Any) -> list[dict[str, Any]]:
    """Return inputs with the values that the page begins with."""
    return [
        {**each, "value": value_of(layout, each["id"], each["property"])} for each in dependencies
    ]


def value_of(layout: Any, identity: str, name: str) -> Any:
    """Return a property of the component with this id, None if the layout does not set it."""
    stack = [layout]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if node.get("id") == identity:
                return node.get(name)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return None


if __name__ == "__main__":
    main()
