"""A progress bar on stderr while something is under way; none if stderr is no terminal."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from live_box_spreads.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import TaskID


class ProgressBar:
    """Shows one step at a time; call it with what is under way, how much is done and there is.

    Between steps there is no bar, so that lines printed to stdout stay whole.
    """

    def __init__(self, console: Console) -> None:
        """Prepare; a console that is no terminal never shows a bar."""
        self._console = console
        self._shown: tuple[str, Progress, TaskID] | None = None

    def __call__(self, label: str, done: int, total: int) -> None:
        """Show how far a step is; the bar goes when all of it is done."""
        if not self._console.is_terminal:
            return
        if done >= total:
            self.close()
            return
        if self._shown is None or self._shown[0] != label:
            self.close()
            self._shown = self._open(label)
        _, progress, task = self._shown
        progress.update(task, completed=done, total=total)

    def close(self) -> None:
        """Take the bar away."""
        if self._shown is not None:
            self._shown[1].stop()
            self._shown = None

    def _open(self, label: str) -> tuple[str, Progress, TaskID]:
        progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,  # it would send stdout to stderr
        )
        progress.start()
        return label, progress, progress.add_task(plain(label))


@contextlib.contextmanager
def progress_bar() -> Iterator[ProgressBar]:
    """Give a progress bar on stderr that is gone on leaving."""
    bar = ProgressBar(Console(stderr=True))
    try:
        yield bar
    finally:
        bar.close()
