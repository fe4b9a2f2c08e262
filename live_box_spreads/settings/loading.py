"""From ``config.yaml`` and ``BOX_…`` variables to `Settings`, or one clear line a problem."""

from __future__ import annotations

import json
import re
import reprlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from live_box_spreads.bounded_files import read_bounded
from live_box_spreads.feeds.options import UNSHOWN, Section
from live_box_spreads.model.errors import ConfigError, did_you_mean
from live_box_spreads.plain_text import plain
from live_box_spreads.settings.env_files import CHECKOUT, PACKAGE, environment
from live_box_spreads.settings.plain_yaml import YamlMistake, read_yaml
from live_box_spreads.settings.schema import Settings, settings_class
from live_box_spreads.vendors.catalogue import VENDORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from live_box_spreads.feeds.vendor import Vendor

PACKAGED_CONFIG = PACKAGE / "config.yaml"
PREFIX = "BOX_"
OTHER_VARIABLES = frozenset({"BOX_ENV", "BOX_TRACEBACK"})
"""Read by ``manage.sh`` and by ``cli/mistakes.py``, not by the configuration."""

MOST_BYTES = 100_000
"""The largest configuration that is read; the packaged one has 6,000."""

_LONGEST_KEY = 100
_LONGEST_MESSAGE = 500
_USER_OF_ADDRESS = re.compile(r"//[^/?#\s]*@")


def load_settings(
    path: Path | None = None,
    env: Mapping[str, str] | None = None,
    vendors: tuple[Vendor, ...] = VENDORS,
) -> Settings:
    """Read and validate the configuration.

    A ``BOX_…`` variable wins over the file, the file over the defaults. ``BOX_QUALITY__EXCLUDE``
    names a key of a mapping; a value is written as in the file.

    Args:
        path: configuration file; None for the ``config.yaml`` of the package.
        env: environment variables; None for the real ones and those of ``.env``.
        vendors: the vendors that have a section.

    Raises:
        ConfigError: one line a problem; each names the key, the value and what is allowed.
        CredentialsError: ``env`` is None and a ``.env`` can be read by others.
    """
    file = PACKAGED_CONFIG if path is None else path
    overrides = _overrides(environment() if env is None else env)
    data = _read_yaml(file)
    for name, value in overrides.items():
        _put(data, _key_path(name), value)
    model = settings_class(vendors)
    try:
        # JSON mode is strict about types, yet takes lists for tuples and words for enums.
        settings = model.model_validate_json(_as_json(data, file), strict=True)
    except ValidationError as error:
        lines = _lines(error.errors(), model, file, overrides)
        raise ConfigError("\n".join(lines)) from None
    return _with_absolute_paths(settings, base_folder(file))


def _with_absolute_paths(settings: Settings, base: Path) -> Settings:
    sections = {
        key: section.with_absolute_paths(base)
        for key, section in settings
        if isinstance(section, Section)
    }
    return settings.model_copy(update=sections)


def base_folder(config: Path) -> Path:
    """Return the folder that relative paths of a configuration start from.

    It is the folder of the file, except for the packaged file of an installed wheel: nothing
    is to be written among installed packages, so there it is ``~/.live_box_spreads``.
    """
    if config.resolve() == PACKAGED_CONFIG and CHECKOUT is None:
        return Path.home() / ".live_box_spreads"
    return config.resolve().parent


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        data = read_yaml(read_bounded(file, MOST_BYTES).decode())
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 text; save it as UTF-8") from error
    except YamlMistake as error:
        raise ConfigError(f"{file} {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{file} should hold `key: value` lines, it holds {_short(data)}")
    return {str(key): value for key, value in data.items()}


class _Short(reprlib.Repr):
    """Values as an error shows them: their beginning, and no user name or password."""

    def repr_str(self, x: str, level: int) -> str:
        return super().repr_str(_USER_OF_ADDRESS.sub("//****@", x), level)


_short = _Short().repr


def _as_json(data: dict[str, Any], file: Path) -> str:
    try:
        return json.dumps(data, default=str)
    except (TypeError, ValueError) as error:  # a key that is no word, a list within itself
        raise ConfigError(f"{file} holds what no configuration can: {error}") from error


def _overrides(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the ``BOX_…`` variables that are set and not empty, their values read as YAML."""
    found: dict[str, Any] = {}
    for name, text in sorted(env.items()):
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES or not text.strip():
            continue
        try:
            found[name] = read_yaml(text)
        except YamlMistake as error:
            raise ConfigError(f"environment {plain(name)} = {_short(text)} {error}") from error
    return found


def _key_path(variable: str) -> tuple[str, ...]:
    return tuple(variable.removeprefix(PREFIX).lower().split("__"))


def _put(data: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    """Set a value in nested mappings; one that is not a mapping gives way to a new one."""
    *parents, last = keys
    for key in parents:
        below = data.get(key)
        data[key] = dict(below) if isinstance(below, dict) else {}
        data = data[key]
    data[last] = value


def _lines(
    problems: list[ErrorDetails],
    model: type[BaseModel],
    file: Path,
    overrides: Mapping[str, Any],
) -> list[str]:
    """Return one line a problem; of those of one list the first, and how many more there are."""
    by_list: dict[tuple[int | str, ...], list[ErrorDetails]] = {}
    for problem in problems:
        loc = problem["loc"]
        number = next((at for at, part in enumerate(loc) if isinstance(part, int)), len(loc))
        by_list.setdefault((*loc[:number], number < len(loc)), []).append(problem)
    lines = []
    for first, *others in by_list.values():
        more = f" (and {len(others)} more of this list)" if others else ""
        lines.append(_line(first, model, file, overrides) + more)
    return lines


def _line(
    problem: ErrorDetails, model: type[BaseModel], file: Path, overrides: Mapping[str, Any]
) -> str:
    """Describe one validation problem: where it comes from, the key, the value, what is allowed."""
    loc = problem["loc"]
    key = ".".join(plain(part, _LONGEST_KEY) for part in loc)
    origin = _origin(loc, file, overrides)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(model, loc)
        hint = did_you_mean(str(loc[-1]), known)
        return f"{origin}: unknown key '{key}'; known: {', '.join(known)}.{hint}"
    message = plain(problem["msg"].removeprefix("Value error, "), _LONGEST_MESSAGE)
    if problem["type"] == "missing":
        return f"{origin}: {key} is missing"
    if not loc:  # a check across keys names them itself
        return f"{origin}: {message}"
    shown = "***" if problem["type"] == UNSHOWN else _short(problem["input"])
    return f"{origin}: {key} = {shown}: {message}"


def _origin(loc: tuple[int | str, ...], file: Path, overrides: Mapping[str, Any]) -> str:
    for name in overrides:
        keys = _key_path(name)
        depth = min(len(keys), len(loc))
        if depth and loc[:depth] == keys[:depth]:
            return f"environment {plain(name, _LONGEST_KEY)}"
    return str(file)


def _known_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys allowed beside the one at ``loc``."""
    if len(loc) == 1:
        return list(model.model_fields)
    annotation = model.model_fields[str(loc[0])].annotation
    candidates = (annotation, *get_args(annotation))
    section = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(section.model_fields)
