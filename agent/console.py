"""The agent's log: one line per event, in the system's journal and on every console."""

from __future__ import annotations

import logging
import sys

from agent.core.consoles import ACTIVE, DEVICES, Consoles


class ConsoleHandler(logging.Handler):
    """Writes each record to all consoles of the kernel."""

    def __init__(self, consoles: Consoles) -> None:
        super().__init__(logging.INFO)
        self.consoles = consoles
        self.setFormatter(logging.Formatter("slipway-agent: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.consoles.write(self.format(record))


def set_up() -> None:
    """Send the agent's messages to consoles, and with every detail to standard output, which is
    the system's journal."""
    logger = logging.getLogger("agent")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(logging.StreamHandler(sys.stdout))
    logger.addHandler(ConsoleHandler(Consoles(ACTIVE, DEVICES)))
