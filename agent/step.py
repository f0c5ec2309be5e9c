"""What a step of the agent is, and the three ways in which one can fail."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod

from agent.core.errors import SlipwayError


class Retry(SlipwayError):
    """Not possible now; trying again may help."""


class WaitForOperator(SlipwayError):
    """Only a person can remove the obstacle; the hint says how."""


class Fatal(SlipwayError):
    """The node cannot become what its configuration says."""


class Step(ABC):
    """One part of the way from an installed disk to a working node.

    name: as journal and status show it. needs: names of the steps that must be done before.
    Each method may raise Retry, WaitForOperator or Fatal; any other SlipwayError counts as Retry.
    """

    name: str
    needs: tuple[str, ...] = ()

    @abstractmethod
    def desired(self) -> object:
        """The input of the step as JSON-able data without secrets."""

    @abstractmethod
    def observe(self) -> tuple[str, ...]:
        """What is missing, in words for a person; empty when nothing is. Changes nothing."""

    @abstractmethod
    def act(self) -> None:
        """Bring about what is missing. Safe to repeat after an interruption at any instant."""

    @abstractmethod
    def prove(self) -> str:
        """Show that it works, at every boot. Returns what a person should know, or nothing."""

    def checksum(self) -> str:
        """SHA-256 of the step's input, in hexadecimal."""
        return hashlib.sha256(json.dumps(self.desired(), sort_keys=True).encode()).hexdigest()
