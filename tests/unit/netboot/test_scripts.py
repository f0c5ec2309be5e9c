"""What iPXE and GRUB are told: the right files, nothing that they would take for a command."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from agent.core.errors import SlipwayError
from image import netboot_scripts as scripts
from image.netboot_scripts import Tree

TREE = Tree("http://192.0.2.1:8080/netboot", "ab" * 32)
ANSWER = "slipway.answer=https://192.0.2.1:8443/answer?id=7&x=[::1]"


def line(text: str, start: str) -> str:
    """The only line that starts with these words."""
    found = [line for line in text.splitlines() if line.strip().startswith(start)]
    assert len(found) == 1, text
    return found[0].strip()


def test_ipxe_installs_from_the_tree() -> None:
    script = scripts.ipxe_install(TREE, [ANSWER])
    assert script.startswith("#!ipxe\n")
    words = line(script, "kernel ").split()
    assert words[:3] == ["kernel", f"{TREE.url}/live/vmlinuz", "initrd=initrd.img"]
    assert {"boot=live", f"slipway.medium={TREE.url}", ANSWER} < set(words)
    assert f"slipway.medium-sha256={TREE.sums_sha256}" in words
    assert "BOOTIF=01-${netX/mac:hexhyp}" in words
    assert line(script, "initrd ").split()[1] == f"{TREE.url}/live/initrd.img"


def test_grub_installs_from_the_tree() -> None:
    script = scripts.grub_install(TREE, [ANSWER])
    linux = line(script, "if linux ")
    assert linux.startswith("if linux '(http,192.0.2.1:8080)/netboot/live/vmlinuz' 'boot=live' ")
    # Unquoted, GRUB would take what follows an ampersand for another command.
    assert f"'{ANSWER}'" in linux
    assert linux.endswith('"BOOTIF=01-${net_default_mac}"; then')
    assert "'(http,192.0.2.1:8080)/netboot/live/initrd.img'" in line(script, "if initrd ")


def test_grub_asks_with_all_that_it_knows() -> None:
    asked = line(scripts.grub_first("http://192.0.2.1:8080"), "source ")
    assert asked == (
        'source "(http,192.0.2.1:8080)/boot/grub'
        '?mac=${net_default_mac}&uuid=${uuid}&serial=${serial}"'
    )


def test_a_machine_waits_and_asks_the_same_again() -> None:
    again = "http://192.0.2.1/boot/ipxe?mac=52:54:00:00:00:01&serial=A%20B"
    script = scripts.ipxe_wait(again, 7)
    assert again in line(script, "chain ").split()
    assert line(script, "sleep ") == "sleep 7"
    assert "boot" not in scripts.grub_wait().splitlines()


def test_from_disk() -> None:
    assert "sanboot --no-describe --drive 0x80" in scripts.ipxe_disk()
    assert scripts.ipxe_disk().splitlines()[-1] == "exit"
    assert scripts.grub_disk().splitlines()[-1] == "exit"


@pytest.mark.parametrize("word", ["a b", "a'b", "a\nboot", "${net0/ip}", "a|b", 'a"b', "a`b", ""])
def test_what_a_boot_loader_would_misread_is_refused(word: str) -> None:
    for install in (scripts.ipxe_install, scripts.grub_install):
        with pytest.raises(SlipwayError, match="boot loader"):
            install(TREE, [word])


def test_a_refused_parameter_is_not_shown_with_its_secret() -> None:
    with pytest.raises(SlipwayError) as caught:
        scripts.ipxe_install(TREE, ["slipway.answer-token=pass word"])
    assert "pass word" not in str(caught.value)
    assert "slipway.answer-token" in str(caught.value)


@pytest.mark.parametrize("url", ["https://192.0.2.1", "192.0.2.1", "http:///x", "http://a b/"])
def test_only_plain_http_starts_a_machine(url: str, tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="http://"):
        scripts.grub_first(url)
    with pytest.raises(SlipwayError, match="http://"):
        scripts.tree_of(tmp_path, url)


def test_the_tree_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / scripts.LIVE_SUMS).write_bytes(b"digests\n")
    tree = scripts.tree_of(tmp_path, "http://192.0.2.1/netboot/")
    assert tree == Tree("http://192.0.2.1/netboot", hashlib.sha256(b"digests\n").hexdigest())
