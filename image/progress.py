"""What a person sees while the build runs: one line a stage, with the time it took.

On a terminal the line of the running stage shows what its tool says now; elsewhere only the
stages' ends are printed. The tools' whole output goes to out/logs/STAGE.log.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

Listener = Callable[[str], None]


@dataclass
class Progress:
    """logs: the folder of the tools' output. verbose: show it as well."""

    logs: Path
    verbose: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    started: float = field(default_factory=time.monotonic)

    @contextmanager
    def stage(self, name: str, detail: str) -> Iterator[Listener]:
        """Show a stage while it runs; gives the function that hears its tools' lines."""
        self.logs.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        with (self.logs / f"{name}.log").open("w") as log:

            def hear(line: str) -> None:
                log.write(line + "\n")
                log.flush()
                if self.verbose:
                    print(f"    {line}", file=self.out, flush=True)
                elif self.out.isatty():
                    self._same_line(begin, name, line.strip())

            if self.out.isatty():
                self._same_line(begin, name, detail)
            else:
                print(f"  ...    {name:<11} {detail}", file=self.out, flush=True)
            yield hear
        self._end_line(f"{time.monotonic() - begin:6.1f} s {name:<11} {detail}")

    def taken(self, name: str) -> None:
        """A stage whose result was there already."""
        self._end_line(f"     -   {name:<11} from the cache")

    def total(self) -> float:
        """Seconds since the build began."""
        return time.monotonic() - self.started

    def _same_line(self, begin: float, name: str, text: str) -> None:
        line = f"{time.monotonic() - begin:6.1f} s {name:<11} {text}"
        print(f"\r\033[K{line[:78]}", end="", file=self.out, flush=True)

    def _end_line(self, line: str) -> None:
        clear = "\r\033[K" if self.out.isatty() else ""
        print(f"{clear}{line}", file=self.out, flush=True)
