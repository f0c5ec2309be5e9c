"""aplinfo.dat, the index of appliances that Proxmox VE and TurnKey Linux publish.

Stanzas as in Debian's control files, compressed with gzip, with a detached OpenPGP signature of
the plain text; each stanza has the SHA-512 of its template.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from gzip import BadGzipFile, GzipFile
from urllib.parse import urljoin

from agent.templates.catalogue import Template, TemplateError, suffix_of

TYPE = "lxc"
# The plain distributions; other sections hold appliances.
SYSTEM = "system"


def signature_address(index: str) -> str:
    """Where the signature of the index at this address is."""
    return f"{index.removesuffix('.gz')}.asc"


def plain_text(data: bytes, limit_bytes: int, where: str) -> bytes:
    """The index without its compression, if it has one. Raises TemplateError."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with GzipFile(fileobj=io.BytesIO(data)) as stream:
            text = stream.read(limit_bytes + 1)
    except (BadGzipFile, EOFError, zlib.error) as error:
        raise TemplateError(f"the index cannot be unpacked: {error}", where=where) from error
    if len(text) > limit_bytes:
        raise TemplateError(f"the index is larger than {limit_bytes} bytes", where=where)
    return text


def templates(document: bytes, index: str) -> tuple[Template, ...]:
    """The container templates of the index at this address. Raises TemplateError."""
    try:
        text = document.decode()
    except UnicodeDecodeError as error:
        raise TemplateError("the index is not text", where=index) from error
    stanzas = (HeaderParser().parsestr(part) for part in re.split(r"\n\s*\n", text.strip()))
    found = [template for stanza in stanzas for template in _templates(stanza, index)]
    if not found:
        raise TemplateError("this is no index of container templates", where=index)
    return tuple(found)


def _templates(stanza: Message, index: str) -> Iterator[Template]:
    def field(name: str) -> str:
        return str(stanza.get(name, "")).strip()

    location = urljoin(index, field("Location"))
    usable = field("Type") == TYPE and field("sha512sum") and suffix_of(location)
    if not usable or not field("Package"):
        return
    package, version, architecture = (field(n) for n in ("Package", "Version", "Architecture"))
    names = [f"{package}/{architecture}", f"{package}/{version}/{architecture}"]
    if field("Section") == SYSTEM:
        # "debian-13" is debian/13 elsewhere.
        names.append(f"{field('OS').replace('-', '/')}/{architecture}")
    yield Template(
        names=tuple(names),
        location=location,
        digests=(("sha512", field("sha512sum")),),
        version=version,
    )
