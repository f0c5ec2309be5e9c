"""Errors that a person can act on.

Every error that Slipway raises on purpose is a SlipwayError: what happened, where, and what to
do. The command line turns them into text; nothing below it prints or exits.
"""

from __future__ import annotations


class SlipwayError(Exception):
    """Something went wrong that the user can understand and act on.

    message: what happened, one sentence.
    where: the file, device, address or step it happened at.
    hint: what to do about it.
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class CommandFailed(SlipwayError):
    """A tool ended with a status that was not expected. `output` is the end of what it said."""

    def __init__(self, argv: tuple[str, ...], status: int, output: str) -> None:
        self.argv = argv
        self.status = status
        self.output = output
        ended = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        super().__init__(f"{argv[0]} {ended}", where=" ".join(argv), hint=output or None)


class CommandTimeout(SlipwayError):
    """A tool did not end in the time given for it and was killed."""

    def __init__(self, argv: tuple[str, ...], seconds: float) -> None:
        self.argv = argv
        super().__init__(
            f"{argv[0]} did not end within {seconds:g} seconds and was killed",
            where=" ".join(argv),
        )


class ToolMissing(SlipwayError):
    """A program that is needed is not installed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the program {name} was not found", hint=f"install {name} and try again")
