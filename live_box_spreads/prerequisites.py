"""What this Python must have before anything else of the package is imported.

The entry files call this first, so that a missing package is one line and no traceback. Only the
standard library is used, here and above the calls, and only what Python 3.7 can read.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

OLDEST_PYTHON = (3, 11)
_PACKAGE = Path(__file__).resolve().parent
_LAUNCHER = _PACKAGE / "manage.sh"
_REQUIREMENTS = _PACKAGE.parent / "requirements.txt"

MODULES = (
    "dotenv",
    "exchange_calendars",
    "filelock",
    "httpx2",
    "msgspec",
    "numpy",
    "polars",
    "prometheus_client",
    "pydantic",
    "rich",
    "scipy",
    "stamina",
    "structlog",
    "threadpoolctl",
    "typer",
    "tzdata",
    "websockets",
    "yaml",
)
"""One module of each dependency that pyproject.toml names, but for those of its extras."""

EXTRAS = {
    "dashboard": (
        "dash",
        "dash_ag_grid",
        "dash_mantine_components",
        "fastapi",
        "plotly",
        "starlette",
        "uvicorn",
    ),
    "simulator": ("starlette", "uvicorn"),
}
"""The modules of the extras that commands cannot do without."""


def exit_unless_met(name: str, *extras: str) -> None:
    """Exit with status 1 and one line that says how to get what is missing; else do nothing.

    Args:
        name: what the line calls the program.
        extras: names in ``EXTRAS`` of what the program needs beyond a base install.
    """
    if sys.version_info[:2] < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"{name}: Python {wanted} or newer is needed, and {sys.executable} is {found}; "
            f"start with {_LAUNCHER}, which looks for a newer one, or use a newer one after "
            f"its own `python -m pip install -r {_REQUIREMENTS}`"
        )
    missing = [module for module in MODULES if find_spec(module) is None]
    if missing:
        more = f" and {len(missing) - 1} more packages" if len(missing) > 1 else ""
        sys.exit(
            f"{name}: {missing[0]}{more} not installed for {sys.executable}; "
            f"start with {_LAUNCHER}, which installs them, "
            f"or run {sys.executable} -m pip install -r {_REQUIREMENTS} first"
        )
    for extra in extras:
        missing = [module for module in EXTRAS[extra] if find_spec(module) is None]
        if missing:
            sys.exit(
                f"{name}: {missing[0]} is not installed; "
                f"run {sys.executable} -m pip install 'live-box-spreads[{extra}]'"
            )
