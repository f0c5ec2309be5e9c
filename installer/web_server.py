"""Web servers that an installation deals with: where they are, and why to trust them."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr


@dataclass(frozen=True)
class Server:
    """An address on the web, and what is needed to trust it.

    fingerprint: the SHA-256 of the server's certificate, hexadecimal, or empty; token: sent as
    bearer token; fingerprint_key: where a person says the fingerprint.
    """

    url: str = field(repr=False)
    fingerprint: str = ""
    token: SecretStr | None = None
    fingerprint_key: str = "cert-fingerprint"

    def __str__(self) -> str:
        """The address without what may be secret in it."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "")
