"""SHA256SUMS, the file of digests as sha256sum(1) writes it, over a folder of templates.

A template's name is its path in the folder without the ending: debian/13/amd64.tar.zst.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from agent.templates.catalogue import NAME, Template, TemplateError, suffix_of

FILE = "SHA256SUMS"
LINE = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?:\./)?(?P<path>.+)")


def parse(text: str, where: str) -> dict[str, str]:
    """Digest by path, of the files that can be templates. Raises TemplateError."""
    found = {}
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        if not match:
            raise TemplateError(f"this is no line of SHA256SUMS: {line[:100]!r}", where=where)
        if suffix_of(match["path"]) and NAME.fullmatch(match["path"]):
            found[match["path"]] = match["digest"]
    return found


def text_of(digests: Mapping[str, str]) -> str:
    """The file's text for digests by path, sorted by path."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items()))


def templates(text: str, folder: str) -> tuple[Template, ...]:
    """The templates of a folder, which is an address or an absolute path. Raises TemplateError."""
    escape = quote if "://" in folder else str
    return tuple(
        Template(
            names=(name_of(path),),
            location=f"{folder.rstrip('/')}/{escape(path)}",
            digests=(("sha256", digest),),
        )
        for path, digest in parse(text, f"{folder}/{FILE}").items()
    )


def name_of(path: str) -> str:
    """The name of the template at this path of a folder."""
    return path.removesuffix(suffix_of(path))
