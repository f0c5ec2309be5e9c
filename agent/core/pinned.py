"""HTTPS to a server that is known by its certificate, and not by an authority."""

from __future__ import annotations

from typing import Any

from requests.adapters import HTTPAdapter


class PinnedAdapter(HTTPAdapter):
    """Trusts the one certificate with this SHA-256; with none, what the system trusts."""

    def __init__(self, fingerprint: str) -> None:
        """fingerprint: hexadecimal, or empty. Requests to it need `verify=not fingerprint`."""
        self._fingerprint = fingerprint or None
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Called by the base class."""
        pinned = options | {"assert_fingerprint": self._fingerprint}
        super().init_poolmanager(*arguments, **pinned)  # type: ignore[no-untyped-call]
