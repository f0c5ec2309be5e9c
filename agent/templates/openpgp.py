"""Detached OpenPGP signatures, checked with sqv."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from agent.core.command import run
from agent.core.errors import CommandFailed
from agent.templates.catalogue import TemplateError


def check(data: bytes, signature: bytes, keyring: str, where: str) -> None:
    """Raises TemplateError unless a key of the keyring (ASCII armor) signed the data.

    where: what the data is, for people.
    """
    with TemporaryDirectory(prefix="slipway-") as folder:
        paths = [Path(folder, name) for name in ("keyring.asc", "signature", "data")]
        for path, content in zip(paths, (keyring.encode(), signature, data), strict=True):
            path.write_bytes(content)
        try:
            run(["sqv", "--keyring", *paths])
        except CommandFailed as error:
            raise TemplateError(
                f"the signature is not good: {error.output}",
                where=where,
                hint="no key of the source's keyring made it, or the index was changed on the way",
            ) from error
