"""Every key of the Proxmox format: what it takes there is taken here, with the same meaning."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.answers.files import MINIMAL, REMOVED, changed, errors_of, load

DIGEST = "0123456789abcdef" * 4
HASH = "$6$salt$6KIOGoVyrNPLmCyDyTf0BV1ChMdYO5v2X0mZ8DkjRz2w"
ZFS = {"filesystem": "zfs", "disk-list": ["sda", "sdb"]}


def zfs(**options: Any) -> dict[str, Any]:
    return {**ZFS, "zfs": {"raid": "raid1", **{k.replace("_", "-"): v for k, v in options.items()}}}


def lvm(**options: Any) -> dict[str, Any]:
    return {"filesystem": "ext4", "disk-list": ["sda"], "lvm": options}


def btrfs(**options: Any) -> dict[str, Any]:
    return {
        "filesystem": "btrfs",
        "disk-list": ["sda", "sdb"],
        "btrfs": {"raid": "raid1", **options},
    }


ACCEPTED: list[tuple[str, object]] = [
    ("global.country", "us"),
    ("global.fqdn", "n.lan"),
    ("global.fqdn", "3com.example.com"),
    ("global.fqdn", {"source": "from-dhcp"}),
    ("global.fqdn", {"source": "from-dhcp", "domain": "example.com"}),
    ("global.fqdn", {"source": "from-dhcp", "domain": ""}),
    ("global.keyboard", "pt-br"),
    ("global.mailto", "a+b@c.d"),
    ("global.mailto", "root@localhost"),
    ("global.timezone", "UTC"),
    ("global.timezone", "America/Argentina/Buenos_Aires"),
    ("global.root-password", "12345678"),
    ("global.root-password", " & \" ' \\ ` $(x) ü "),
    ("global.root-ssh-keys", []),
    ("global.root-ssh-keys", ["ssh-ed25519 AAAAC3 a@b", 'from="10.0.0.0/8" ssh-rsa AAAAB3 c']),
    ("global.reboot-on-error", True),
    ("global.reboot-mode", "power-off"),
    ("global.subscription-key", "anything"),
    ("network", {"source": "from-dhcp", "interface-name-pinning": {"enabled": True}}),
    (
        "network",
        {
            "source": "from-answer",
            "cidr": "192.0.2.10/24",
            "dns": "192.0.2.1",
            "gateway": "192.0.2.1",
            "filter": {"ID_NET_NAME_MAC": "*b42e99acadb4"},
        },
    ),
    (
        "network",
        {
            "source": "from-answer",
            "cidr": "2001:db8::10/64",
            "dns": "2001:db8::1",
            "gateway": "2001:db8::1",
            "filter": {"ID_NET_NAME": "eno1"},
            "interface-name-pinning": {
                "enabled": True,
                "mapping": {"B4:2E:99:AC:AD:B4": "uplink0"},
            },
        },
    ),
    ("disk-setup.disk-list", ["/dev/sda"]),
    ("disk-setup", {"filesystem": "xfs", "filter": {"ID_SERIAL": "S4*"}, "filter-match": "all"}),
    ("disk-setup", {"filesystem": "xfs", "filter": {"ID_SERIAL": "S4*"}, "filter-match": "any"}),
    ("disk-setup", lvm()),
    ("disk-setup", lvm(hdsize=100, swapsize=8, maxroot=30.5, maxvz=0, minfree=4)),
    ("disk-setup", lvm(hdsize=16.0, swapsize=8.0)),
    ("disk-setup", lvm(swapsize=0)),
    ("disk-setup", zfs()),
    ("disk-setup", zfs(raid="RAID1")),
    ("disk-setup", zfs(raid="raid0", ashift=9, arc_max=0, checksum="fletcher4", copies=3)),
    ("disk-setup", zfs(ashift=16, arc_max=2048, checksum="sha256", compress="zstd", hdsize=50)),
    ("disk-setup", {**zfs(raid="raidz-1"), "disk-list": ["sda", "sdb", "sdc"]}),
    ("disk-setup", {**zfs(raid="RAIDZ-2"), "disk-list": ["sda", "sdb", "sdc", "sdd"]}),
    ("disk-setup", {"filesystem": "zfs", "zfs": {"raid": "raid10"}, "filter": {"A": "b"}}),
    ("disk-setup", btrfs(compress="lzo", hdsize=20.5)),
    ("disk-setup", btrfs(raid="raid0")),
    ("first-boot", {"source": "from-iso"}),
    ("first-boot", {"source": "from-iso", "ordering": "before-network"}),
    (
        "first-boot",
        {"source": "from-url", "url": "https://example.com/x", "cert-fingerprint": DIGEST},
    ),
    ("post-installation-webhook", {"url": "https://example.com/hook"}),
    (
        "post-installation-webhook",
        {
            "url": "http://192.0.2.1:8080/hook?a=b",
            "cert-fingerprint": ":".join(["AB"] * 32),
            "auth-token": "name:secret",
        },
    ),
]

REFUSED: list[tuple[str, object, str]] = [
    ("global", REMOVED, "global: is missing"),
    ("network", REMOVED, "network: is missing"),
    ("disk-setup", REMOVED, "disk-setup: is missing"),
    ("surplus", 1, "surplus: is not a known key"),
    ("global.country", REMOVED, "global.country: is missing"),
    ("global.country", "AT", "ISO code"),
    ("global.country", "xx", "ISO code"),
    ("global.fqdn", "node1", "node1.example.com"),
    ("global.fqdn", "1234.example.com", "digits"),
    ("global.fqdn", "-a.example.com", ""),
    ("global.fqdn", "a_b.example.com", ""),
    ("global.fqdn", f"{'a' * 64}.example.com", ""),
    ("global.fqdn", ".".join(["a" * 60] * 5), ""),
    ("global.fqdn", {"domain": "example.com"}, "global.fqdn.source: is missing"),
    ("global.fqdn", {"source": "from-answer"}, 'expected "from-dhcp"'),
    ("global.keyboard", "en", "en-us"),
    ("global.mailto", "mail@example.invalid", "mail"),
    ("global.mailto", "admin", "mail"),
    ("global.mailto", "a b@c", "mail"),
    ("global.timezone", "Vienna", "Europe/Vienna"),
    ("global.root-password", "1234567", "8 or more"),
    ("global.root-password", REMOVED, "exactly one of root-password and root-password-hashed"),
    ("global.root-password-hashed", HASH, "exactly one of root-password and root-password-hashed"),
    ("global.root-ssh-keys", "ssh-ed25519 AAAAC3 a@b", "expected a list"),
    ("global.root-ssh-keys", [1], "expected a string"),
    ("global.reboot-on-error", "true", "expected true or false"),
    ("global.reboot-on-error", 1, "expected true or false"),
    ("global.reboot-mode", "poweroff", 'did you mean "power-off"?'),
    ("global.surplus", 1, "global.surplus: is not a known key"),
    ("network.source", REMOVED, "network.source: is missing"),
    ("network.source", "static", 'one of "from-dhcp", "from-answer"'),
    ("network.surplus", 1, "network.surplus: is not a known key"),
    ("network.cidr", "192.0.2.10/24", 'network.cidr: is not allowed with "from-dhcp"'),
    ("network.interface-name-pinning", {}, "enabled: is missing"),
    (
        "network.interface-name-pinning",
        {"enabled": True, "mapping": {"b4:2e:99:ac:ad:b4": "ab", "b4:2e:99:ac:ad:b5": "eno 1"}},
        "mapping",
    ),
    (
        "network.interface-name-pinning",
        {"enabled": True, "mapping": {"b4:2e:99:ac:ad": "lan0"}},
        "mapping",
    ),
    ("disk-setup.filesystem", REMOVED, "disk-setup.filesystem: is missing"),
    ("disk-setup.filesystem", "zsf", 'did you mean "zfs"?'),
    ("disk-setup.filesystem", "EXT4", "expected one of"),
    ("disk-setup.surplus", 1, "disk-setup.surplus: is not a known key"),
    ("disk-setup.disk-list", REMOVED, "exactly one of disk-list, filter and select"),
    ("disk-setup.disk-list", [], "expected a list of 1 or more"),
    ("disk-setup.disk-list", "sda", "expected a list"),
    ("disk-setup.disk-list", ["sda", "sdb"], "exactly one disk"),
    ("disk-setup.filter", {"ID_BUS": "ata"}, "exactly one of disk-list, filter and select"),
    ("disk-setup.filter-match", "both", 'one of "any", "all"'),
    ("disk-setup.zfs", {"raid": "raid0"}, "only [lvm] options fit"),
    ("disk-setup.btrfs", {"raid": "raid0"}, "only [lvm] options fit"),
    ("disk-setup", ZFS, "zfs.raid is needed"),
    ("disk-setup", {**ZFS, "zfs": {}}, "disk-setup.zfs.raid: is missing"),
    ("disk-setup", {**zfs(), "lvm": {}}, "only [zfs] options fit"),
    ("disk-setup", {**zfs(), "disk-list": ["sda"]}, "raid1 needs at least 2 disks"),
    ("disk-setup", {**zfs(), "disk-list": ["sda", "sda"]}, "twice"),
    ("disk-setup", zfs(raid="Raid1"), "expected one of"),
    ("disk-setup", zfs(raid="raidz1"), 'did you mean "raidz-1"?'),
    ("disk-setup", zfs(raid="raid10"), "raid10 needs at least 4 disks"),
    ("disk-setup", zfs(ashift=8), "whole number from 9 to 16"),
    ("disk-setup", zfs(ashift=17), "whole number from 9 to 16"),
    ("disk-setup", zfs(ashift=12.0), "whole number from 9 to 16"),
    ("disk-setup", zfs(ashift="12"), "whole number from 9 to 16"),
    ("disk-setup", zfs(ashift=True), "whole number from 9 to 16"),
    ("disk-setup", zfs(copies=0), "whole number from 1 to 3"),
    ("disk-setup", zfs(copies=4), "whole number from 1 to 3"),
    ("disk-setup", zfs(arc_max=-1), "whole number from 0"),
    ("disk-setup", zfs(arc_max=2**62), "whole number from 0"),
    ("disk-setup", zfs(hdsize=0), "a number above 0"),
    ("disk-setup", zfs(hdsize=-5.5), "a number above 0"),
    ("disk-setup", zfs(hdsize=1e30), "a number above 0"),
    ("disk-setup", zfs(checksum="md5"), "expected one of"),
    ("disk-setup", zfs(checksum=True), "expected one of"),
    ("disk-setup", zfs(compress="lz5"), 'did you mean "lz4"?'),
    ("disk-setup", zfs(surplus=1), "disk-setup.zfs.surplus: is not a known key"),
    ("disk-setup", lvm(hdsize=0), "a number above 0"),
    ("disk-setup", lvm(swapsize=-1), "a number from 0"),
    ("disk-setup", lvm(maxroot=-1), "a number from 0"),
    ("disk-setup", lvm(maxvz=-0.1), "a number from 0"),
    ("disk-setup", lvm(minfree="4"), "a number from 0"),
    ("disk-setup", lvm(hdsize=16, swapsize=8.1), "half of hdsize"),
    ("disk-setup", lvm(surplus=1), "disk-setup.lvm.surplus: is not a known key"),
    ("disk-setup", btrfs(raid="raid5"), "expected one of"),
    ("disk-setup", btrfs(raid="raid10"), "raid10 needs at least 4 disks"),
    ("disk-setup", btrfs(compress="lz4"), "expected one of"),
    ("disk-setup", btrfs(hdsize=0.0), "a number above 0"),
    ("disk-setup", btrfs(surplus=1), "disk-setup.btrfs.surplus: is not a known key"),
    ("first-boot", {}, "first-boot.source: is missing"),
    ("first-boot", {"source": "from-url"}, "source from-url needs url"),
    ("first-boot", {"source": "from-url", "url": "ftp://example.com"}, "http"),
    ("first-boot", {"source": "from-iso", "ordering": "later"}, "expected one of"),
    ("first-boot", {"source": "from-iso", "cert-fingerprint": "ab"}, "64 hexadecimal digits"),
    ("post-installation-webhook", {}, "post-installation-webhook.url: is missing"),
    ("post-installation-webhook", {"url": "https://x", "surplus": 1}, "is not a known key"),
]


@pytest.mark.parametrize(("path", "value"), ACCEPTED)
def test_accepts_what_the_format_allows(path: str, value: object) -> None:
    assert errors_of(changed(path, value)) == []


@pytest.mark.parametrize(("path", "value", "expected"), REFUSED)
def test_refuses_what_the_format_forbids(path: str, value: object, expected: str) -> None:
    messages = errors_of(changed(path, value))
    assert len(messages) == 1
    assert expected in messages[0]


def test_takes_a_hashed_password_instead() -> None:
    data = changed("global.root-password", REMOVED)
    data["global"]["root-password-hashed"] = HASH
    answer = load(data).answer
    assert answer.global_.root_password is None
    assert answer.global_.root_password_hashed is not None
    assert answer.global_.root_password_hashed.get_secret_value() == HASH


@pytest.mark.parametrize("hashed", ["correct horse", "$6$a b", "", "$6$a:b\n"])
def test_refuses_what_is_no_hash(hashed: str) -> None:
    data = changed("global.root-password", REMOVED)
    data["global"]["root-password-hashed"] = hashed
    (message,) = errors_of(data)
    assert "openssl passwd" in message


def test_the_minimal_answer_has_the_defaults_of_the_format() -> None:
    answer = load(MINIMAL).answer
    assert answer.global_.reboot_mode == "reboot"
    assert answer.global_.reboot_on_error is False
    assert answer.disk_setup.filter_match == "any"
    assert answer.disk_setup.raid is None
    assert answer.disk_setup.option_table == "lvm"
    assert answer.wipe == "none"
    assert answer.cluster.mode == "none"


def test_zfs_defaults_are_those_of_the_format() -> None:
    options = load(changed("disk-setup", zfs())).answer.disk_setup.zfs
    assert options is not None
    assert options.model_dump() == {
        "raid": "raid1",
        "ashift": 12,
        "arc_max": None,
        "checksum": "on",
        "compress": "on",
        "copies": 1,
        "hdsize": None,
    }


def test_fingerprints_lose_their_colons() -> None:
    hook = {"url": "https://example.com", "cert-fingerprint": ":".join(["AB"] * 32)}
    loaded = load(changed("post-installation-webhook", hook)).answer.post_installation_webhook
    assert loaded is not None
    assert loaded.cert_fingerprint == "ab" * 32
