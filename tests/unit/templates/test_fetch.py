"""Fetching from real servers: the right file or a clear error, and never half of one."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
from pathlib import Path

import pytest

from agent.config import TemplateSource
from agent.core.command import run
from agent.templates.catalogue import TemplateError
from agent.templates.fetch import Fetcher
from agent.templates.room import NoRoom
from agent.templates.store import Store
from tests.unit.templates.conftest import QUICK, Offer, files_of
from tests.unit.templates.server import Files, serving

NAME = "debian/13/amd64"
FILE = f"t/{NAME}.tar.xz"
KEPT = {f"{NAME}.tar.xz"}


def test_a_template_is_fetched_once(fetcher: Fetcher, server: Files, offer: Offer) -> None:
    content = offer(NAME, b"")
    entry = fetcher.fetch("debian/13")
    assert entry.path.read_bytes() == content
    assert (entry.name, entry.size_bytes) == (NAME, len(content))
    assert fetcher.fetch(NAME) == entry
    assert Fetcher(fetcher.store, []).fetch(NAME) == entry
    assert server.requests_of(FILE) == [""]
    assert files_of(fetcher.store) == KEPT


@pytest.mark.parametrize("part", range(1, 10))
def test_a_cut_connection_is_gone_on_with(
    fetcher: Fetcher, server: Files, offer: Offer, part: int
) -> None:
    content = offer(NAME, b"")
    server.cut_every = len(content) * part // 10
    assert fetcher.fetch(NAME).path.read_bytes() == content
    assert server.sent == len(content) + len(server.content["t/SHA256SUMS"])
    assert len(server.requests_of(FILE)) == -(-len(content) // server.cut_every)


@pytest.mark.parametrize("part", range(1, 10))
def test_a_fetch_that_failed_is_gone_on_with(
    source: TemplateSource, store: Store, server: Files, offer: Offer, part: int
) -> None:
    """As after a power cut: another process has got a part, and died."""
    content = offer(NAME, b"")
    have = len(content) * part // 10
    with store.partial(hashlib.sha256(content).hexdigest()) as partial:
        partial.write_bytes(content[:have])
    assert Fetcher(store, [source], patience=QUICK).fetch(NAME).path.read_bytes() == content
    assert server.requests_of(FILE) == [f"bytes={have}-"]


def test_a_server_without_ranges_begins_again(
    fetcher: Fetcher, server: Files, offer: Offer
) -> None:
    content = offer(NAME, b"")
    server.ranges = False
    with fetcher.store.partial(hashlib.sha256(content).hexdigest()) as partial:
        partial.write_bytes(content[:1000])
    assert fetcher.fetch(NAME).path.read_bytes() == content


def test_a_server_without_ranges_that_always_cuts_is_given_up(
    fetcher: Fetcher, server: Files, offer: Offer
) -> None:
    server.cut_every = len(offer(NAME, b"")) // 2
    server.ranges = False
    with pytest.raises(TemplateError, match="cannot be fetched"):
        fetcher.fetch(NAME)
    assert fetcher.store.entries() == ()


def test_a_cut_that_cannot_be_seen_is_refused(
    fetcher: Fetcher, server: Files, offer: Offer
) -> None:
    """Without a length the end of a connection looks like the end of the file."""
    server.lengths = False
    server.cut_every = len(offer(NAME, b"")) // 2
    with pytest.raises(TemplateError, match="sha256"):
        fetcher.fetch(NAME)
    assert files_of(fetcher.store) == set()


def test_a_wrong_digest_is_refused(fetcher: Fetcher, server: Files, offer: Offer) -> None:
    content = offer(NAME, b"")
    server.content[FILE] = content[:-1] + bytes([content[-1] ^ 1])
    with pytest.raises(TemplateError) as caught:
        fetcher.fetch(NAME)
    assert "the catalogue says" in str(caught.value)
    assert files_of(fetcher.store) == set()


@pytest.mark.parametrize("change", [-1000, 1000])
def test_a_wrong_size_is_refused(
    fetcher: Fetcher, server: Files, offer: Offer, change: int
) -> None:
    content = offer(NAME, b"")
    server.content[FILE] = content[:change] if change < 0 else content + bytes(change)
    with pytest.raises(TemplateError, match="cannot be fetched"):
        fetcher.fetch(NAME)
    assert files_of(fetcher.store) == set()


def test_the_next_source_is_asked(
    store: Store, source: TemplateSource, server: Files, offer: Offer, certificate: Path
) -> None:
    content = offer(NAME, b"")
    with serving(certificate) as bad:
        bad.content = {**server.content, FILE: b"\0" * len(content)}
        worse = source.model_copy(update={"name": "bad", "url": f"{bad.address}/t"})
        gone = source.model_copy(update={"name": "gone", "url": "https://localhost:1/t"})
        fetcher = Fetcher(store, [gone, worse, source], patience=QUICK)
        assert fetcher.fetch(NAME).path.read_bytes() == content
        assert len(bad.requests_of(FILE)) == 1


def test_an_error_names_every_source(store: Store, source: TemplateSource, offer: Offer) -> None:
    offer("alpine/3.22/amd64", b"x")
    gone = source.model_copy(update={"name": "gone", "url": "https://localhost:1/t"})
    with pytest.raises(TemplateError) as caught:
        Fetcher(store, [source, gone], patience=QUICK).fetch(NAME)
    assert "own: has no such template" in str(caught.value)
    assert "gone: https://localhost:1/t/SHA256SUMS: no success after 2 tries" in str(caught.value)


def test_a_replaced_index_is_read_again(fetcher: Fetcher, server: Files, offer: Offer) -> None:
    offer(NAME, b"")
    fetcher.available(fetcher.sources[0])
    newer = offer(NAME, b"another build" * 1000)
    assert fetcher.fetch(NAME).path.read_bytes() == newer


def test_what_was_begun_of_an_old_build_is_not_gone_on_with(
    fetcher: Fetcher, server: Files, offer: Offer
) -> None:
    old = offer(NAME, b"")
    with fetcher.store.partial(hashlib.sha256(old).hexdigest()) as partial:
        partial.write_bytes(old[:-1000])
    newer = offer(NAME, old[::-1])
    assert fetcher.fetch(NAME).path.read_bytes() == newer
    assert server.requests_of(FILE) == [""]


def test_two_names_of_one_content_are_one_download(
    fetcher: Fetcher, server: Files, offer: Offer
) -> None:
    content = offer(NAME, b"")
    offer("debian/trixie/amd64", content)
    first, second = fetcher.fetch(NAME), fetcher.fetch("debian/trixie")
    assert first.path.samefile(second.path)
    assert sum(len(server.requests_of(f"t/{n}.tar.xz")) for n in (NAME, second.name)) == 1


def fetch_in_a_process(store: Store, source: TemplateSource, ready: object) -> None:
    ready.wait()  # type: ignore[attr-defined]
    Fetcher(store, [source], patience=QUICK).fetch(NAME)


def test_two_processes_download_once(
    store: Store, source: TemplateSource, server: Files, offer: Offer
) -> None:
    content = offer(NAME, b"")
    server.gate = threading.Event()
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(3)
    processes = [
        context.Process(target=fetch_in_a_process, args=(store, source, ready)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    ready.wait(60)
    server.gate.set()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert server.requests_of(FILE) == [""]
    assert store.get(NAME).path.read_bytes() == content


def test_several_at_once(fetcher: Fetcher, offer: Offer) -> None:
    names = [f"test/{number}/amd64" for number in range(6)]
    contents = {name: offer(name, b"") for name in names}
    outcomes = fetcher.fetch_all([*names, "missing/1"])
    assert isinstance(outcomes.pop("missing/1"), TemplateError)
    assert {name: fetcher.store.get(name).path.read_bytes() for name in outcomes} == contents


def test_a_full_disk_is_refused_before_anything_is_written(
    tmp_path: Path, source: TemplateSource, server: Files, offer: Offer
) -> None:
    content = offer(NAME, b"")
    small = tmp_path / "small"
    small.mkdir()
    # The reserve fits, and half of the template beside it.
    size = (256 << 20) + len(content) // 2
    run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small])
    try:
        store = Store(small / "store")
        with pytest.raises(NoRoom, match="not enough room"):
            Fetcher(store, [source], patience=QUICK).fetch(NAME)
        assert sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file()) == 0
    finally:
        run(["umount", small])


def test_a_directory_of_this_machine(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "usb/debian/13"
    folder.mkdir(parents=True)
    (folder / "amd64.tar.xz").write_bytes(b"template")
    sums = run(["sha256sum", "debian/13/amd64.tar.xz"], cwd=tmp_path / "usb").stdout
    (tmp_path / "usb/SHA256SUMS").write_text(sums)
    source = TemplateSource(name="usb", kind="directory", url=str(tmp_path / "usb"))
    assert Fetcher(store, [source]).fetch(NAME).path.read_bytes() == b"template"


def test_a_store_is_a_source(tmp_path: Path, fetcher: Fetcher, offer: Offer) -> None:
    """So a node can offer what it has to others."""
    content = offer(NAME, b"")
    fetcher.fetch(NAME)
    source = TemplateSource(name="peer", kind="directory", url=str(fetcher.store.folder))
    other = Fetcher(Store(tmp_path / "other"), [source])
    assert other.fetch(NAME).path.read_bytes() == content
