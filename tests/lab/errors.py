"""What goes wrong in the laboratory."""

from __future__ import annotations

from agent.core.errors import SlipwayError


class LabError(SlipwayError):
    """A machine did something else than what was waited for."""


class LabTimeout(LabError):
    """Something did not happen within its limit (seconds)."""

    def __init__(self, what: str, limit: float, *, where: str, hint: str | None = None) -> None:
        super().__init__(f"waited {limit:g} seconds for {what}", where=where, hint=hint)
