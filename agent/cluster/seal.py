"""A text for one node's eyes: CMS enveloped data (RFC 5652) for the key of its certificate."""

from __future__ import annotations

import tempfile
from pathlib import Path

from agent.core.command import run

SECONDS = 30


def seal(text: str, certificate: str) -> str:
    """Encrypt a text for the owner of a certificate (PEM). Gives PEM. Raises CommandFailed."""
    with tempfile.NamedTemporaryFile("w", suffix=".crt") as file:
        file.write(certificate)
        file.flush()
        argv = ["openssl", "cms", "-encrypt", "-aes-256-cbc", "-outform", "PEM"]
        return run([*argv, "-recip", file.name], input=text, timeout=SECONDS).stdout


def unseal(sealed: str, certificate: Path, key: Path) -> str:
    """The text again, with the files of certificate and private key. Raises CommandFailed."""
    argv = ["openssl", "cms", "-decrypt", "-inform", "PEM", "-recip", str(certificate)]
    return run([*argv, "-inkey", str(key)], input=sealed, timeout=SECONDS).stdout.replace(
        "\r\n", "\n"
    )
