"""Reading a source's catalogue, with the proof that it offers."""

from __future__ import annotations

from pathlib import Path

from agent.config import TemplateSource
from agent.templates import aplinfo, openpgp, simplestreams, sums
from agent.templates.catalogue import Template, TemplateError
from agent.templates.web import Web

INDEX_LIMIT_BYTES = 64 << 20
SIGNATURE_LIMIT_BYTES = 1 << 20


def catalogue(source: TemplateSource, web: Web) -> tuple[Template, ...]:
    """All templates of the source. Raises TemplateError when it is not reached or not proved."""
    check(source)
    match source.kind:
        case "simplestreams":
            return _simplestreams(source, web)
        case "aplinfo":
            return _aplinfo(source, web)
        case "directory" | "member":
            return _directory(source, web)


def check(source: TemplateSource) -> None:
    """Raises TemplateError where nothing would vouch for the catalogue."""
    if source.kind == "member":
        # The tunnel of the cluster proves both sides.
        return
    signed = source.kind != "simplestreams" and bool(source.keyring)
    if source.kind == "aplinfo" and not signed:
        raise TemplateError(
            f"the source {source.name} has no keyring to check its signature with",
            hint="give the source a keyring",
        )
    if source.url.startswith("http:") and not signed:
        raise TemplateError(
            f"nothing vouches for the catalogue of the source {source.name}",
            where=source.url,
            hint="use an https address, or a directory or aplinfo source with a keyring",
        )


def _simplestreams(source: TemplateSource, web: Web) -> tuple[Template, ...]:
    base = source.url.rstrip("/")
    index = f"{base}/{simplestreams.INDEX}"
    found: list[Template] = []
    for path in simplestreams.product_lists(web.read(index, INDEX_LIMIT_BYTES), index):
        address = f"{base}/{path.lstrip('/')}"
        document = web.read(address, INDEX_LIMIT_BYTES)
        found += simplestreams.templates(document, base, address)
    return tuple(found)


def _aplinfo(source: TemplateSource, web: Web) -> tuple[Template, ...]:
    data = web.read(source.url, INDEX_LIMIT_BYTES)
    text = aplinfo.plain_text(data, INDEX_LIMIT_BYTES, source.url)
    signature = web.read(aplinfo.signature_address(source.url), SIGNATURE_LIMIT_BYTES)
    openpgp.check(text, signature, source.keyring, source.url)
    return aplinfo.templates(text, source.url)


def _directory(source: TemplateSource, web: Web) -> tuple[Template, ...]:
    file = f"{source.url.rstrip('/')}/{sums.FILE}"
    data = _read(file, web, INDEX_LIMIT_BYTES)
    if source.keyring:
        signature = _read(f"{file}.asc", web, SIGNATURE_LIMIT_BYTES)
        openpgp.check(data, signature, source.keyring, file)
    return sums.templates(data.decode(errors="replace"), source.url)


def _read(place: str, web: Web, limit_bytes: int) -> bytes:
    if "://" in place:
        return web.read(place, limit_bytes)
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror}", where=place) from error
