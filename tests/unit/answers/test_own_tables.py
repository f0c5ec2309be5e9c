"""The tables that go beyond the Proxmox format."""

from __future__ import annotations

from typing import Any

import pytest

from installer.answers.disks import DiskMatch, SizeCondition
from tests.unit.answers.files import changed, errors_of, load

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 admin"
PGP = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n"
PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
BIND = {"bind-dn": "cn=node", "bind-password": "geheim"}
KIT = {"authority": "PEM", "tokens": ["0123456789abcdef:ab:1:node2:new"]}


def select(**conditions: Any) -> dict[str, Any]:
    keys = {name.rstrip("_"): value for name, value in conditions.items()}
    return {"filesystem": "ext4", "select": keys}


def data(**pool: Any) -> dict[str, Any]:
    table = {"name": "fast", "layout": "lvm-thin", "disk-list": ["sdb"], **pool}
    return {"filesystem": "ext4", "disk-list": ["sda"], "data": [table]}


def people(**keys: Any) -> dict[str, Any]:
    given = {name.replace("_", "-"): value for name, value in keys.items()}
    table = {"kind": "ldap", "uri": "ldaps://ldap.example.com", "base": "dc=example,dc=com"}
    return {"directory": {**table, "operators": "vm operators", **given}}


ACCEPTED: list[tuple[str, object]] = [
    ("wipe", "selected"),
    ("disk-setup", select(serial="S4*")),
    ("disk-setup", select(wwn=["0x5*", "eui.*"], model="*SSD*", bus="nvme", rotational=False)),
    ("disk-setup", select(size=[">= 400G", "< 2TiB"], count=1, sort="smallest")),
    ("disk-setup", select(udev={"ID_BUS": "ata"}, any_=[{"bus": "ata"}, {"not": {"bus": "usb"}}])),
    ("disk-setup", select(all_=[{"name": "sd?"}, {"name": "/dev/disk/by-id/*"}])),
    ("disk-setup", select(sort="largest")),
    (
        "disk-setup",
        {"filesystem": "xfs", "disk-list": ["sda", "sdb"], "lvm": {"raid": "raid1"}},
    ),
    ("disk-setup", data()),
    ("disk-setup", data(lvm={"hdsize": 100, "raid": "raid1"}, **{"disk-list": ["sdb", "sdc"]})),
    ("disk-setup", data(layout="zfs", zfs={"raid": "raid0"})),
    ("system.ntp-servers", ["ntp.example.com", "192.0.2.1", "2001:db8::1"]),
    ("system.proxy", "http://proxy.example.com:3128"),
    ("system.kernel-parameters", ["intel_iommu=on", "quiet"]),
    ("system.commands", [["systemctl", "enable", "a b & c"], ["true"]]),
    ("users", [{"name": "anna", "ssh-keys": [KEY], "groups": ["sudo"], "full-name": "Anna Ü"}]),
    ("users", [{"name": "anna", "password": "correct horse"}]),
    ("users", [{"name": "anna", "password-hashed": "$y$j9T$x$y"}]),
    ("sign-in", {"second-factor": "totp"}),
    ("sign-in", people()),
    ("sign-in", people(kind="ad", uri=["ldap://[2001:db8::1]:389", "ldaps://b/"], ca=PEM, **BIND)),
    ("sign-in", people(kind="ldap-rfc2307bis", administrators=["Domänen-Admins", "ops"])),
    ("webhook", {"url": "http://example.com:8080/hook"}),
    ("webhook", {"url": "https://[2001:db8::1]/", "cert-fingerprint": "ab" * 32, "token": "a:b"}),
    ("cluster", {"mode": "none"}),
    ("cluster", {"mode": "create", "name": "lab", "qdevice": {"host": "q.example.com"}}),
    ("cluster", {"mode": "join", "token": "abc", "links": ["192.0.2.1", "2001:db8::1"]}),
    ("cluster", {"mode": "join", "token": "abc", "links": ["eno2", "192.0.2.0/24"]}),
    ("cluster", {"mode": "create", "name": "lab", **KIT, "ha": True}),
    ("stack", {"profile": "kvm-ha", "packages": ["htop", "libstdc++6"]}),
    (
        "stack.apt-sources",
        [{"name": "own", "uris": ["https://example.com/apt"], "suites": ["./"], "signed-by": PGP}],
    ),
    ("templates", {"fetch": ["debian/13", "alpine/3.22/amd64"], "sources": []}),
    (
        "templates.sources",
        [
            {"name": "usb", "kind": "directory", "url": "/srv/templates"},
            {"name": "apl", "kind": "aplinfo", "url": "http://x/a.dat.gz", "keyring": PGP},
        ],
    ),
    (
        "templates.sources",
        [{"name": "own", "kind": "simplestreams", "url": "https://example.com/"}],
    ),
    ("storage", [{"type": "directory", "name": "a", "path": "/srv/a"}]),
    (
        "storage",
        [{"type": "nfs", "name": "a", "server": "nas", "export": "/x y", "version": "4.2"}],
    ),
    (
        "storage",
        [
            {"type": "smb", "name": "a", "server": "nas", "share": "s"},
            {
                "type": "smb",
                "name": "b",
                "server": "nas",
                "share": "s",
                "username": "u",
                "password": "p",
            },
        ],
    ),
    (
        "storage",
        [{"type": "iscsi", "name": "a", "portal": "::1", "target": "iqn.2003-01.com.example:x"}],
    ),
    (
        "storage",
        [{"type": "rbd", "name": "a", "monitors": ["192.0.2.1"], "pool": "vms", "key": "AQ=="}],
    ),
    ("storage", [{"type": "gluster", "name": "a", "servers": ["g1", "g2"], "volume": "v"}]),
]

REFUSED: list[tuple[str, object, str]] = [
    ("wipe", "all", 'one of "none", "selected"'),
    ("wipe", True, 'one of "none", "selected"'),
    ("disk-setup", select(), "a condition, count or sort is needed"),
    ("disk-setup", select(any_=[{}]), "at least one condition is needed"),
    ("disk-setup", select(any_=[]), "a list of 1 or more"),
    ("disk-setup", select(count=0), "whole number from 1"),
    ("disk-setup", select(any_=[{"count": 1}]), "count: is not a known key"),
    ("disk-setup", select(size="400G"), '">= 400G"'),
    ("disk-setup", select(size=">= 400X"), '">= 400G"'),
    ("disk-setup", select(size=[]), "a list of 1 or more"),
    ("disk-setup", select(rotational="no"), "true or false"),
    ("disk-setup", select(sort="fastest"), "one of"),
    ("disk-setup", {"filesystem": "zfs", "select": {"bus": "ata"}}, "zfs.raid is needed"),
    (
        "disk-setup",
        {"filesystem": "xfs", "disk-list": ["sda"], "lvm": {"raid": "raid1"}},
        "raid1 needs at least 2 disks",
    ),
    ("disk-setup", data(name="Fast"), "a string that matches"),
    ("disk-setup", data(layout="ext4"), "one of"),
    ("disk-setup", data(lvm={"swapsize": 1}), "lvm.swapsize has no meaning for a data pool"),
    ("disk-setup", data(layout="btrfs"), "btrfs.raid is needed"),
    ("disk-setup", data(filesystem="ext4"), "filesystem: is not a known key"),
    ("disk-setup", {**data(), "data": [*data()["data"], *data()["data"]]}, "the same name"),
    ("system.ntp-servers", ["a b"], "address or a name"),
    ("system.proxy", "proxy:3128", "http://"),
    ("system.proxy", "http://u:p@proxy:3128", "without a user name"),
    ("system.kernel-parameters", ["quiet splash"], "without spaces"),
    ("system.commands", ["systemctl enable x"], "a list"),
    ("system.commands", [[]], "a list of 1 or more"),
    ("users", [{"name": "root", "ssh-keys": [KEY]}], "root belongs in [global]"),
    ("users", [{"name": "anna"}], "to log in"),
    ("users", [{"name": "anna", "ssh-keys": [KEY], "full-name": "a:b"}], "without a colon"),
    ("users", [{"name": "anna", "password": "correct horse", "password-hashed": "$y$a"}], "both"),
    ("users", [{"name": "anna", "password": "short"}], "8 or more"),
    ("users", [{"name": "Anna", "ssh-keys": [KEY]}], "a string that matches"),
    ("users", [{"name": "a", "ssh-keys": [KEY]}] * 2, "the same name"),
    ("sign-in", {"second-factor": "sms"}, 'one of "none", "totp"'),
    ("sign-in", people(kind="nis"), "one of"),
    ("sign-in", people(uri="http://ldap.example.com"), '"ldaps://'),
    ("sign-in", people(uri="ldaps://a,ldap://b"), '"ldaps://'),
    ("sign-in", people(uri=[]), "a list of 1 or more"),
    ("sign-in", people(base="dc=a\nldap_tls_reqcert = never"), "one line"),
    ("sign-in", people(operators=[]), "nobody may sign in"),
    ("sign-in", people(viewers="a, b"), "without any of"),
    ("sign-in", people(viewers='a" ALL=(ALL) ALL'), "without any of"),
    ("sign-in", people(viewers="#0"), "without any of"),
    ("sign-in", people(viewers="a\nb"), "without any of"),
    ("sign-in", people(bind_dn="cn=node"), "go together"),
    ("sign-in", people(bind_dn="cn=node", bind_password="a\nb"), "one line"),
    ("sign-in", people(ca="/etc/ca.pem"), "BEGIN CERTIFICATE"),
    ("webhook", {}, "webhook.url: is missing"),
    ("webhook", {"url": "https://[::1"}, "https://"),
    ("webhook", {"url": "https://example.com:99999/"}, "https://"),
    ("webhook", {"url": "https://user@/"}, "https://"),
    ("webhook", {"url": "https://x", "token": "a b"}, "without spaces"),
    ("webhook", {"url": "http://x", "token": "geheim"}, "a token needs an address"),
    ("cluster", {"mode": "create"}, 'mode "create" needs name'),
    ("cluster", {"mode": "join"}, 'mode "join" needs token'),
    ("cluster", {"name": "lab"}, 'name has no meaning with mode "none"'),
    ("cluster", {"mode": "join", "token": "x", "name": "lab"}, "name has no meaning"),
    ("cluster", {"mode": "create", "name": "a b"}, "a string that matches"),
    ("cluster", {"mode": "create", "name": "a", "links": ["192.0.2.1"] * 2}, "twice"),
    ("cluster", {"mode": "create", "name": "a", "links": ["192.0.2.1/24"]}, "a network or a link"),
    ("cluster", {"mode": "create", "name": "a", "tokens": ["x"]}, "tokens needs authority"),
    ("cluster", {"mode": "join", "token": "x", "ha": True}, "ha has no meaning"),
    ("cluster", {"mode": "join", "token": "x", **KIT}, "authority has no meaning"),
    (
        "cluster",
        {"mode": "create", "name": "a", "links": [f"192.0.2.{n}" for n in range(1, 10)]},
        "a list of at most 8",
    ),
    ("stack", {"packages": ["a b"]}, "a string that matches"),
    ("stack.apt-sources", [{"name": "own", "uris": [], "suites": ["x"]}], "a list of 1 or more"),
    (
        "stack.apt-sources",
        [{"name": "own", "uris": ["https://x"], "suites": ["x"], "signed-by": "/x.gpg"}],
        "BEGIN PGP PUBLIC KEY BLOCK",
    ),
    ("templates", {"fetch": ["../debian"]}, "a string that matches"),
    ("templates.sources", [{"name": "own", "kind": "http", "url": "https://x"}], "one of"),
    (
        "templates.sources",
        [{"name": "own", "kind": "simplestreams", "url": "http://x"}],
        "nothing vouches",
    ),
    (
        "templates.sources",
        [{"name": "own", "kind": "aplinfo", "url": "http://x/aplinfo.dat.gz"}],
        "keyring is missing",
    ),
    ("templates.sources", [{"name": "own", "kind": "simplestreams", "url": "/srv"}], "a path"),
    (
        "templates.sources",
        [
            {"name": "own", "kind": "directory", "url": "/a"},
            {"name": "own", "kind": "directory", "url": "/b"},
        ],
        "the same name",
    ),
    ("storage", [{"type": "directory", "name": "a", "path": "srv"}], "absolute path"),
    ("storage", [{"type": "directory", "name": "a", "path": "/a/../b"}], "absolute path"),
    ("storage", [{"name": "a", "path": "/srv"}], "storage[0].type: is missing"),
    ("storage", [{"type": "nsf", "name": "a"}], 'did you mean "nfs"?'),
    (
        "storage",
        [{"type": "smb", "name": "a", "server": "n", "share": "s", "password": "geheim"}],
        "go together",
    ),
    (
        "storage",
        [{"type": "iscsi", "name": "a", "portal": "p", "target": "disk1"}],
        "a string that matches",
    ),
    ("storage", [{"type": "directory", "name": "a", "path": "/a"}] * 2, "the same name"),
]


@pytest.mark.parametrize(("path", "value"), ACCEPTED)
def test_accepts(path: str, value: object) -> None:
    assert errors_of(changed(path, value)) == []


@pytest.mark.parametrize(("path", "value", "expected"), REFUSED)
def test_refuses(path: str, value: object, expected: str) -> None:
    messages = errors_of(changed(path, value))
    assert len(messages) == 1
    assert expected in messages[0]


@pytest.mark.parametrize(
    ("text", "operator", "size_bytes"),
    [
        (">= 400G", ">=", 400 * 10**9),
        ("<400GB", "<", 400 * 10**9),
        ("= 1.5TiB", "=", 3 * 2**39),
        (" > 10Mi ", ">", 10 * 2**20),
    ],
)
def test_sizes_count_like_a_disks_label_or_in_powers_of_1024(
    text: str, operator: str, size_bytes: int
) -> None:
    match = DiskMatch(size=(text,))
    assert match.size_conditions == (SizeCondition(operator, size_bytes),)


def test_one_glob_needs_no_list() -> None:
    chosen = load(changed("disk-setup", select(serial="S4*", any_=[{"bus": "ata"}]))).answer
    assert chosen.disk_setup.select is not None
    assert chosen.disk_setup.select.serial == ("S4*",)
    assert chosen.disk_setup.select.any == (DiskMatch(bus=("ata",)),)
