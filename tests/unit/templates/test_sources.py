"""The forms of catalogues, and what each proves."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.config import TemplateSource
from agent.templates import aplinfo, simplestreams, sums
from agent.templates.catalogue import TemplateError, find
from agent.templates.fetch import Fetcher
from agent.templates.sources import catalogue
from agent.templates.store import Store
from agent.templates.web import Web
from tests.unit.templates.conftest import QUICK
from tests.unit.templates.server import Files, serving

ROOT = b"root file system" * 999
DIGEST = hashlib.sha256(ROOT).hexdigest()
PATH = "images/debian/trixie/amd64/default/20251101_05:24/rootfs.tar.xz"


def index() -> bytes:
    entry = {"datatype": "image-downloads", "path": "streams/v1/images.json", "products": []}
    other = {"datatype": "other", "path": "streams/v1/missing.json"}
    return json.dumps({"format": "index:1.0", "index": {"images": entry, "x": other}}).encode()


def images(**item: Any) -> bytes:
    newest = {"ftype": "root.tar.xz", "path": PATH, "size": len(ROOT), "sha256": DIGEST, **item}
    product = {
        "aliases": "debian/13/default,debian/13,debian/trixie/default,debian/trixie",
        "arch": "amd64",
        "os": "Debian",
        "release": "trixie",
        "release_title": "trixie",
        "variant": "default",
        "requirements": {},
        "versions": {
            "20251031_05:24": {"items": {"root.tar.xz": {**newest, "sha256": "0" * 64}}},
            "20251101_05:24": {
                "items": {
                    "incus.tar.xz": {"ftype": "incus.tar.xz", "path": "meta", "sha256": "1" * 64},
                    "root.squashfs": {"ftype": "squashfs", "path": "root", "sha256": "2" * 64},
                    "root.tar.xz": newest,
                }
            },
        },
    }
    products = {"debian:trixie:amd64:default": product}
    return json.dumps(
        {"content_id": "images", "format": "products:1.0", "products": products}
    ).encode()


@pytest.fixture
def streams(server: Files, certificate: Path) -> TemplateSource:
    server.content["streams/v1/index.json"] = index()
    server.content["streams/v1/images.json"] = images()
    server.content[PATH.replace(":", "%3A")] = server.content[PATH] = ROOT
    ca = Path(f"{certificate}.crt").read_text()
    return TemplateSource(name="lxc", kind="simplestreams", url=f"{server.address}/", ca=ca)


def test_simplestreams(streams: TemplateSource, store: Store) -> None:
    (template,) = catalogue(streams, Web(streams.ca))
    assert template.names[0] == "debian/13/amd64"
    assert "debian/trixie/default/amd64" in template.names
    assert (template.version, template.size_bytes) == ("20251101_05:24", len(ROOT))
    fetched = Fetcher(store, [streams], patience=QUICK).fetch("debian/trixie")
    assert fetched.path.read_bytes() == ROOT
    assert fetched.path.name == "amd64.tar.xz"


@pytest.mark.parametrize("difference", [-1, 1])
def test_simplestreams_with_a_wrong_size(
    streams: TemplateSource, server: Files, store: Store, difference: int
) -> None:
    server.content["streams/v1/images.json"] = images(size=len(ROOT) + difference)
    with pytest.raises(TemplateError, match="cannot be fetched") as caught:
        Fetcher(store, [streams], patience=QUICK).fetch("debian/13")
    assert "bytes, the catalogue says" in str(caught.value)
    assert store.entries() == ()


def test_simplestreams_know_that_a_file_is_cut_without_its_length(
    streams: TemplateSource, server: Files, store: Store
) -> None:
    server.lengths = False
    server.cut_every = len(ROOT) // 2
    assert Fetcher(store, [streams], patience=QUICK).fetch("debian/13").path.read_bytes() == ROOT


def test_simplestreams_needs_a_trusted_server(streams: TemplateSource) -> None:
    with pytest.raises(TemplateError, match="no success|cannot be fetched"):
        catalogue(streams, Web(patience=QUICK))


@pytest.mark.parametrize("document", [b"", b"{}", b"<html>", b'{"index": {"a": 1}}'])
def test_what_is_no_index(streams: TemplateSource, server: Files, document: bytes) -> None:
    server.content["streams/v1/index.json"] = document
    with pytest.raises(TemplateError, match="no simplestreams index"):
        catalogue(streams, Web(streams.ca))


def test_images_without_a_root_archive() -> None:
    assert simplestreams.templates(images(ftype="squashfs"), "https://x", "x") == ()
    assert simplestreams.templates(images(path="root.zip"), "https://x", "x") == ()


# Signed once with two keys that nobody has any more.
DATA = Path(__file__).parents[2] / "data/templates"
APLINFO = (DATA / "aplinfo.dat").read_bytes()
OWN_KEY, OTHER_KEY = ((DATA / f"{name}-key.asc").read_text() for name in ("own", "other"))


def signature(name: str, who: str) -> bytes:
    """The signature of a file of the test data, by the source's key or another."""
    return (DATA / f"{name}.{who}.asc").read_bytes()


@pytest.fixture
def appliances() -> Iterator[tuple[Files, TemplateSource]]:
    """A server without TLS: the signature is the proof."""
    with serving() as files:
        files.content["images/aplinfo.dat.gz"] = gzip.compress(APLINFO)
        files.content["images/aplinfo.dat.asc"] = signature("aplinfo.dat", "own")
        files.content["images/system/debian-13-standard_13.1-2_amd64.tar.zst"] = ROOT
        url = f"{files.address}/images/aplinfo.dat.gz"
        yield files, TemplateSource(name="apl", kind="aplinfo", url=url, keyring=OWN_KEY)


def test_aplinfo(appliances: tuple[Files, TemplateSource], store: Store) -> None:
    _, source = appliances
    (template,) = catalogue(source, Web())
    assert template.names == (
        "debian-13-standard/amd64",
        "debian-13-standard/13.1-2/amd64",
        "debian/13/amd64",
    )
    assert Fetcher(store, [source]).fetch("debian/13").path.read_bytes() == ROOT


def test_aplinfo_with_a_wrong_file(appliances: tuple[Files, TemplateSource], store: Store) -> None:
    files, source = appliances
    files.content["images/system/debian-13-standard_13.1-2_amd64.tar.zst"] = ROOT[::-1]
    with pytest.raises(TemplateError, match="cannot be fetched") as caught:
        Fetcher(store, [source], patience=QUICK).fetch("debian/13")
    assert "the file's sha512 is" in str(caught.value)


def test_somebody_elses_signature(
    appliances: tuple[Files, TemplateSource],
) -> None:
    files, source = appliances
    files.content["images/aplinfo.dat.asc"] = signature("aplinfo.dat", "other")
    with pytest.raises(TemplateError, match="the signature is not good"):
        catalogue(source, Web())


def test_a_replaced_index_is_refused(appliances: tuple[Files, TemplateSource]) -> None:
    files, source = appliances
    changed = APLINFO.replace(b"13.1-2", b"13.1-3")
    files.content["images/aplinfo.dat.gz"] = gzip.compress(changed)
    with pytest.raises(TemplateError, match="the signature is not good"):
        catalogue(source, Web())


def test_an_index_that_would_fill_the_memory() -> None:
    with pytest.raises(TemplateError, match="larger than 1000 bytes"):
        aplinfo.plain_text(gzip.compress(bytes(100_000)), 1000, "x")
    with pytest.raises(TemplateError, match="cannot be unpacked"):
        aplinfo.plain_text(gzip.compress(b"x")[:-5], 1000, "x")


def test_a_signed_folder_without_tls(store: Store) -> None:
    with serving() as files:
        files.content["t/SHA256SUMS"] = (DATA / "SHA256SUMS").read_bytes()
        files.content["t/SHA256SUMS.asc"] = signature("SHA256SUMS", "own")
        files.content["t/debian/13/amd64.tar.xz"] = ROOT
        own = TemplateSource(
            name="own", kind="directory", url=f"{files.address}/t/", keyring=OWN_KEY
        )
        assert Fetcher(store, [own]).fetch("debian/13").path.read_bytes() == ROOT
        other = own.model_copy(update={"keyring": OTHER_KEY})
        with pytest.raises(TemplateError, match="the signature is not good"):
            catalogue(other, Web())


@pytest.mark.parametrize("kind", ["simplestreams", "directory", "aplinfo"])
def test_nothing_is_believed_without_a_proof(kind: Any) -> None:
    source = TemplateSource(name="own", kind=kind, url="http://localhost:1/")
    with pytest.raises(TemplateError, match="vouches|no keyring"):
        catalogue(source, Web(patience=QUICK))


def test_sums_that_lead_out_of_the_folder() -> None:
    lines = "".join(
        f"{DIGEST}  {path}\n"
        for path in (
            "../x.tar",
            "/etc/x.tar",
            "a/../../x.tar",
            ".hidden/x.tar",
            "ok/x.tar",
            "a.txt",
        )
    )
    assert sums.parse(lines, "x") == {"ok/x.tar": DIGEST}
    with pytest.raises(TemplateError, match="no line of SHA256SUMS"):
        sums.parse("<html>\n", "x")


def test_names() -> None:
    templates = sums.templates(f"{DIGEST}  debian/13/amd64.tar.zst\n", "/srv")
    assert find(templates, "debian/13") == find(templates, "debian/13/amd64") == templates[0]
    assert find(templates, "debian/1") is None
    for name in ("", "../x", "/x", "a//b", ".x", "a b", "x" * 300):
        with pytest.raises(TemplateError, match="cannot be the name"):
            find(templates, name)
