"""The medium's check: every byte counts, and the words say what to do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from agent.core.errors import SlipwayError
from installer.medium import (
    FILE_NAMES,
    INITRD,
    KERNEL,
    NODE_IMAGE,
    TEMPLATE_IMAGE,
    ZFS_IMAGE,
    Medium,
    load,
)
from tests.unit.answers.servers import cut, reply, serving


@pytest.fixture
def medium(tmp_path: Path) -> Medium:
    files = {}
    for name, on_medium in FILE_NAMES.items():
        content = name.encode() * 1000
        (tmp_path / on_medium).parent.mkdir(exist_ok=True)
        (tmp_path / on_medium).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files[name] = {"size_bytes": len(content), "sha256": digest}
    description = {
        "version": "1",
        "kernel_version": "6",
        "files": files,
        "folder": str(tmp_path),
    }
    (tmp_path / "medium.json").write_text(json.dumps(description))
    (tmp_path / "cmdline").write_text("BOOT_IMAGE=/live/vmlinuz boot=live\n")
    return load(tmp_path / "medium.json", tmp_path / "cmdline")


def test_a_good_medium_passes_and_tells_its_progress(medium: Medium) -> None:
    seen: list[tuple[int, int]] = []
    medium.verify(lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == sum(f.size_bytes for f in medium.files.values())


@pytest.mark.parametrize("name", FILE_NAMES)
def test_one_flipped_bit_is_found(medium: Medium, name: str) -> None:
    content = bytearray(medium.path(name).read_bytes())
    content[len(content) // 2] ^= 1
    medium.path(name).write_bytes(content)
    with pytest.raises(SlipwayError, match="damaged") as caught:
        medium.verify(lambda done, total: None)
    assert caught.value.where == str(medium.path(name))


def test_without_a_description_this_is_no_medium(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="not a Slipway installation medium"):
        load(tmp_path / "missing.json")


def from_network(medium: Medium, port: int) -> Medium:
    """The medium as a machine has it that started over the network: the rest is on a server."""
    command_line = medium.folder / "cmdline"
    tree = f"http://127.0.0.1:{port}/netboot"
    command_line.write_text(f"boot=live slipway.medium={tree}/ slipway.medium-sha256=00\n")
    for name in (KERNEL, INITRD, ZFS_IMAGE, TEMPLATE_IMAGE):
        medium.path(name).unlink()
    return load(medium.folder / "medium.json", command_line)


def test_what_is_not_here_is_fetched_from_the_tree(medium: Medium) -> None:
    content = medium.path(KERNEL).read_bytes()
    with serving(cut(content), reply(503), reply(200, content)) as server:
        remote = from_network(medium, server.port)
        remote.obtain([KERNEL, NODE_IMAGE])
        remote.obtain([KERNEL])
    assert [request.path for request in server.asked] == ["/netboot/live/vmlinuz"] * 3
    assert remote.path(KERNEL).read_bytes() == content
    assert not remote.path(ZFS_IMAGE).exists()
    seen: list[tuple[int, int]] = []
    remote.verify(lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == sum(medium.files[name].size_bytes for name in (KERNEL, NODE_IMAGE))


def test_a_file_of_another_build_is_refused(medium: Medium) -> None:
    with serving(reply(200, b"another kernel")) as server:
        remote = from_network(medium, server.port)
        with pytest.raises(SlipwayError, match="SHA-256") as caught:
            remote.obtain([KERNEL])
    assert "another build" in str(caught.value)
    assert list(remote.path(KERNEL).parent.iterdir()) == [remote.path(NODE_IMAGE)]


def test_a_file_that_the_server_does_not_have(medium: Medium) -> None:
    with serving(reply(404)) as server:
        with pytest.raises(SlipwayError, match="HTTP status 404"):
            from_network(medium, server.port).obtain([ZFS_IMAGE])
    assert len(server.asked) == 1


def test_nothing_is_fetched_for_a_medium_of_its_own(medium: Medium) -> None:
    medium.path(KERNEL).unlink()
    medium.obtain([KERNEL])
    with pytest.raises(OSError, match="No such file"):
        medium.verify(lambda done, total: None)
