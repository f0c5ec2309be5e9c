"""Who may see the page: one password, signed cookies, and tokens that forms must carry.

A cookie says until when it is good, and proves it with the server's own key: nothing is kept for
it, so sessions survive a restart.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from pathlib import Path

from agent.core.errors import SlipwayError
from agent.core.files import write_atomically

COOKIE = "__Host-slipway"
SECONDS = 12 * 3600
# scrypt's cost as OWASP's password storage cheat sheet advises: N = 2^15, r = 8, p = 3; 32 MiB.
SCRYPT = {"n": 1 << 15, "r": 8, "p": 3, "maxmem": 64 << 20}


class Sessions:
    """Sessions of those who know the password."""

    def __init__(self, key: bytes, salt: bytes, password: bytes) -> None:
        """password: as scrypt makes it with this salt."""
        self._key = key
        self._salt = salt
        self._password = password
        self._known: bytes = b""

    def right(self, password: str) -> bool:
        """Whether this is the password. Takes a moment, on purpose."""
        return hmac.compare_digest(_derive(password, self._salt), self._password)

    def right_header(self, header: str) -> bool:
        """Whether an Authorization header carries the password (Basic, with any user name)."""
        kind, _, encoded = header.partition(" ")
        if kind.lower() != "basic":
            return False
        digest = self._sign(header)
        if self._known and hmac.compare_digest(digest.encode(), self._known):
            return True
        try:
            password = base64.b64decode(encoded, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
        if not self.right(password):
            return False
        self._known = digest.encode()
        return True

    def new(self) -> str:
        """The value of a new cookie."""
        text = f"{int(time.time()) + SECONDS}.{secrets.token_urlsafe(16)}"
        return f"{text}.{self._sign(text)}"

    def valid(self, cookie: str) -> bool:
        """Whether this server made the cookie, and it is still good."""
        text, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._sign(text).encode()):
            return False
        return int(text.partition(".")[0]) > time.time()

    def form_token(self, cookie: str) -> str:
        """What forms of this session carry, so that no other site can send them."""
        return self._sign(f"form {cookie}")

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(errors="replace"), hashlib.sha256).hexdigest()


def load(state: Path, password_file: Path | None) -> tuple[Sessions, str]:
    """The sessions of this state folder, and the password if it has just been made.

    Raises SlipwayError when the password cannot be read.
    """
    key = bytes.fromhex(_kept(state / "session.key", secrets.token_hex(32)))
    if password_file:
        salt = secrets.token_bytes(16)
        return Sessions(key, salt, _derive(_read(password_file), salt)), ""
    path = state / "password"
    made = "" if path.exists() else secrets.token_urlsafe(12)
    fresh = secrets.token_bytes(16)
    text = f"{fresh.hex()} {_derive(made, fresh).hex()}" if made else ""
    salt_hex, _, derived = _kept(path, text).partition(" ")
    return Sessions(key, bytes.fromhex(salt_hex), bytes.fromhex(derived)), made


def _kept(path: Path, new: str) -> str:
    if not path.exists():
        write_atomically(path, new, mode=0o600)
    return path.read_text()


def _read(path: Path) -> str:
    try:
        password = path.read_text().strip()
    except OSError as error:
        raise SlipwayError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if not password:
        raise SlipwayError("there is no password in it", where=str(path))
    return password


def _derive(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **SCRYPT)
