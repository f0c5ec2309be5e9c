"""The D-Bus system bus. pydbus is loaded when it is first needed: that takes its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from agent.step import Retry

# pydbus is not typed: a bus, and what is reached through it, are Any.
GetBus = Callable[[], Any]


def system_bus() -> Any:
    """The system bus, as a pydbus.Bus."""
    import pydbus

    return pydbus.SystemBus()


@contextmanager
def calls(service: str) -> Iterator[None]:
    """Around calls to a service: raises Retry when it cannot be reached or answers an error."""
    from gi.repository import GLib

    try:
        yield
    except GLib.Error as error:
        raise Retry(f"{service} did not do what it was asked: {error.message}") from error
