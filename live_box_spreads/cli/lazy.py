"""Commands that are imported when they are run, so that a help page loads none of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer.main
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyCommand(TyperCommand):
    """Stands for the command of a module until it is run."""

    def __init__(self, name: str, where: str, summary: str) -> None:
        """Name the program of the command; nothing is imported yet.

        Args:
            name: of the command.
            where: ``module:attribute`` of a ``typer.Typer``.
            summary: the line of the help page.
        """
        super().__init__(name=name, help=summary)
        self._where = where

    def load(self) -> Any:
        """Import the module and return its command, a group of commands for ``boxes import``."""
        module, _, attribute = self._where.partition(":")
        return typer.main.get_command(getattr(import_module(module), attribute))

    def make_context(  # the signature is that of the base class
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Return the context of the real command, which parses the arguments and is run in it."""
        return self.load().make_context(info_name, args, parent, **extra)


def lazy_group(commands: Mapping[str, tuple[str, str]]) -> type[TyperGroup]:
    """Return a group of lazy commands, for the argument ``cls`` of ``typer.Typer``.

    Args:
        commands: program (``module:attribute``) and summary of each command by its name, in the
            order of the help page.
    """

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            found = {name: LazyCommand(name, *what) for name, what in commands.items()}
            super().__init__(**{**attributes, "commands": found})

    return LazyGroup
