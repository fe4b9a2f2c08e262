"""YAML as a configuration needs it: small, shallow, each key once, nothing that multiplies.

YAML can name a value and repeat it (``&a``, ``*a``); ten lines that repeat each other ten times
hold ten thousand million values. Whoever copies them, as a validator does, needs more memory than
there is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from live_box_spreads.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Hashable

MOST_VALUES: Final = 10_000
MOST_LEVELS: Final = 20
_MERGE: Final = "tag:yaml.org,2002:merge"
_LONGEST_REASON: Final = 300
_TOO_MUCH: Final = "holds what no configuration can:"


class YamlMistake(ValueError):  # noqa: N818 # a mistake of the one who wrote it
    """A text that is no YAML, or more than a configuration may hold; the message is one line."""


class _Loader(yaml.SafeLoader):
    """YAML's own types only, without merge keys, each key of a mapping once."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse ``<<``, which copies mappings into each other while they are read."""
        for key, _ in node.value:
            if key.tag == _MERGE:
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not supported", key.start_mark
                )

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 # as inherited
    ) -> dict[Hashable, Any]:
        """Refuse a key that comes twice: it is not clear which of the two counts."""
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key.value!r} is there twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


# YAML 1.1 takes 1e300 for text, because it has no point; a person means the number.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def read_yaml(text: str) -> Any:
    """Return what a YAML text holds.

    Raises:
        YamlMistake: it is no YAML, a key comes twice, or it holds more than ``MOST_VALUES`` values
            (aliases counted as often as they are used) or ``MOST_LEVELS`` levels.
    """
    try:
        value = yaml.load(text, _Loader)  # noqa: S506 # a SafeLoader
    except RecursionError:
        raise YamlMistake(f"{_TOO_MUCH} more than {MOST_LEVELS} levels") from None
    except (yaml.YAMLError, ValueError, OverflowError, TypeError) as error:  # a month 13, say
        raise YamlMistake(
            f"is not valid YAML: {plain(' '.join(str(error).split()), _LONGEST_REASON)}"
        ) from error
    _refuse_excess(value)
    return value


def _refuse_excess(value: Any) -> None:
    """Count values level by level, as often as they are referred to; a cycle has no last level."""
    level, total = [value], 0
    for _ in range(MOST_LEVELS):
        total += len(level)
        below: list[Any] = []
        for item in level:
            children = item.values() if isinstance(item, dict) else item
            if isinstance(item, dict | list):
                below.extend(children)
            if total + len(below) > MOST_VALUES:
                raise YamlMistake(f"{_TOO_MUCH} more than {MOST_VALUES:,} values")
        if not below:
            return
        level = below
    raise YamlMistake(f"{_TOO_MUCH} more than {MOST_LEVELS} levels")
