"""The rescue's commands of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.core.errors import SlipwayError
from installer.session.protocol import Rescue

if TYPE_CHECKING:
    from installer.session.session import Session


def carry_out(session: Session, command: Rescue) -> dict[str, Any]:
    raise SlipwayError(f"not yet: {command.action} {session.state.stage}")
