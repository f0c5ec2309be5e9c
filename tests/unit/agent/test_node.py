"""Facts about the node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent import node
from agent.core.command import Result


def entry(local: str, **more: object) -> dict[str, object]:
    family = "inet6" if ":" in local else "inet"
    return {"family": family, "local": local, "scope": "global", **more}


@pytest.mark.parametrize(
    ("entries", "address"),
    [
        ([], ""),
        ([entry("2001:db8::10"), entry("192.0.2.10")], "192.0.2.10"),
        ([entry("fe80::1", scope="link"), entry("2001:db8::10")], "2001:db8::10"),
        ([entry("fe80::1", scope="link"), entry("fec0::10", scope="site")], "fec0::10"),
        ([entry("2001:db8::1", tentative=True), entry("2001:db8::2", deprecated=True)], ""),
    ],
)
def test_address(
    entries: list[dict[str, object]], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With -j ip answers an empty object for every link that it leaves out.
    answer = json.dumps([{}, {"ifname": "vmbr0", "addr_info": entries}])
    monkeypatch.setattr(node, "run", lambda _argv: Result((), 0, answer, ""))
    assert node.address_of("vmbr0") == address


def test_links_of_this_machine() -> None:
    assert node.address_of("lo") == ""
    assert node.address_of("no-such-link") == ""


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("", ""),
        ("192.0.2.10", "https://192.0.2.10:9090"),
        ("2001:db8::10", "https://[2001:db8::10]:9090"),
    ],
)
def test_web_url(address: str, url: str) -> None:
    assert node.web_url(address) == url


def test_kvm_is_present_when_its_device_opens(tmp_path: Path) -> None:
    assert not node.kvm_present(tmp_path / "kvm")
    (tmp_path / "kvm").touch()
    assert node.kvm_present(tmp_path / "kvm")
