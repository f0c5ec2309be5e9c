"""Texts that members share, in memory, with the CIB's test-and-set."""

from __future__ import annotations

import threading


class Memory:
    """As agent.cluster.cib.Cib, which the laboratory tests with the real one."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self._lock = threading.Lock()

    def texts(self) -> dict[str, str]:
        return dict(self.kept)

    def create(self, name: str, text: str) -> bool:
        with self._lock:
            return self.kept.setdefault(name, text) is text

    def replace(self, name: str, text: str) -> None:
        self.kept[name] = text

    def delete(self, name: str, text: str | None = None) -> None:
        with self._lock:
            if text is None or self.kept.get(name) == text:
                self.kept.pop(name, None)
