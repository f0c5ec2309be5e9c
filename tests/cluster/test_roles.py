"""Roles on one node: who may look, who may run guests, who may do everything; by command and page.

What is forbidden is only asked for, with `sudo --list`, which answers as sudo would.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from tests.cluster.cockpit import browsing
from tests.cluster.laboratory import Laboratory
from tests.cluster.node import Node
from tests.cluster.person import add_account, cable, open_page
from tests.cluster.test_guests import define, definition
from tests.cluster.tree import TOP

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

GROUPS = {
    "visitor": "users",
    "viewer": "slipway-viewers",
    "runner": "slipway-operators",
}
LOOK = (
    "status",
    "status --json",
    "overview --json",
    "cluster status --json",
    "cluster address show",
    "guest list",
    "guest list --cluster --json",
    "container list --json",
    "storage list --json",
    "template list --json",
    "ha list --json",
    "replicate list --json",
)
OPERATE = (
    "guest start machine web",
    "guest stop machine web",
    "guest stop --force machine web",
    "guest start container db-1.old",
    "migrate web node2",
)
# Of each command that changes something, and what leans on an allowed one.
FORBIDDEN = (
    "ha enable",
    "ha add web",
    "ha remove web",
    "ha group add g node1=1",
    "replicate add web node2",
    "replicate remove web",
    "replicate run web",
    "cluster remove node2",
    "cluster address set 10.99.0.9/24",
    "cluster address remove",
    "cluster refresh",
    "guest give vm web node2",
    "guest sync",
    "guest may-start vm web",
    "container create c --template debian/13",
    "container clone a b",
    "container start c",
    "container remove c",
    "container rollback c s",
    "template fetch debian/13",
    "template list --available",
    "template remove debian/13",
    "storage add directory d --path /",
    "storage remove local",
    "backup run web --to /srv",
    "backup restore web --from /srv",
    "boot sync",
    "disk replace",
    "token create",
    "join --link 10.99.0.1",
    "agent run",
    "overview serve",
    "status --json x",
    "guest start machine web --explain",
    "guest start machine --help",
    "guest start machine -web",
    "guest start machine 'a b'",
    "guest start machine ../web",
    "guest stop machine web --force",
    "migrate web node2 --explain",
    "migrate --help node2",
)
OTHERS = (
    "/usr/bin/virsh list",
    "/usr/sbin/pcs status",
    "/usr/bin/systemctl stop libvirtd",
    "/bin/sh -c id",
    "/usr/bin/python3 /usr/bin/slipway guest start machine web",
)


@pytest.fixture(scope="module")
def node(lab: Laboratory) -> Iterator[Node]:
    made = lab.machine(1)
    made.run(["systemctl", "enable", "--now", "libvirtd.service"])
    open_page(made)
    for name, groups in GROUPS.items():
        add_account(made, name, groups)
    add_account(made, "chief", "sudo")
    define(made, definition(64, name="web"))
    yield made


def allowed(node: Node, account: str, line: str) -> bool:
    """Whether sudo would let an account do this without a password."""
    words = ["sudo", "--non-interactive", "--list", "--", *shlex.split(line)]
    return node.run(["runuser", "-u", account, "--", *words], check=False).status == 0


def may(node: Node, account: str, lines: tuple[str, ...]) -> set[str]:
    """Those of Slipway's command lines that an account may use."""
    return {line for line in lines if allowed(node, account, f"/usr/bin/slipway {line}")}


def test_who_may_do_what(node: Node) -> None:
    assert node.run(["visudo", "--check"]).status == 0
    assert may(node, "visitor", LOOK + OPERATE + FORBIDDEN) == set()
    assert may(node, "viewer", LOOK + OPERATE + FORBIDDEN) == set(LOOK)
    assert may(node, "runner", LOOK + OPERATE + FORBIDDEN) == {*LOOK, *OPERATE}
    for account in GROUPS:
        assert [line for line in OTHERS if allowed(node, account, line)] == []


def test_libvirt_lets_them_look_and_no_more(node: Node) -> None:
    """Who manages libvirt can read every file of the node as a disk."""
    for account in GROUPS:
        virsh = ["runuser", "-u", account, "--", "virsh", "--connect", "qemu:///system"]
        done = node.run([*virsh, "start", "web"], check=False)
        assert done.status != 0
    assert "shut off" in node.run(["virsh", "domstate", "web"]).stdout


def test_an_operator_starts_and_stops(node: Node) -> None:
    sudo = ["runuser", "-u", "runner", "--", "sudo", "--non-interactive", "slipway"]
    node.run([*sudo, "guest", "start", "machine", "web"])
    assert "running" in node.run(["virsh", "domstate", "web"]).stdout
    node.run([*sudo, "guest", "stop", "--force", "machine", "web"])
    assert "shut off" in node.run(["virsh", "domstate", "web"]).stdout
    done = node.run([*sudo, "guest", "start", "machine", "nothing"], check=False)
    assert "no machine nothing on this node" in done.stderr


@pytest.mark.parametrize(
    ("account", "administer", "role"),
    [
        ("visitor", False, "look"),
        ("viewer", False, "look"),
        ("runner", False, "operate"),
        ("chief", False, "look"),
        ("chief", True, "administer"),
    ],
)
def test_the_page_offers_what_a_person_may_do(
    lab: Laboratory, node: Node, account: str, administer: bool, role: str
) -> None:
    with cable(lab.switch), browsing(node.addresses[0], TOP / "out/cluster-page") as page:
        page.sign_in(account, administer=administer)
        page.shows("machine-web", "stopped")
        script = "return document.getElementById('page').dataset.role"
        page.wait(lambda: page.run(script) == role, f"the role {role}")
        assert page.has("machine-web-start") is (role != "look")
        if role != "look":
            page.click("machine-web-start")
            page.shows("machine-web", "running")
            page.click("machine-web-stop")
            page.run("document.querySelector('dialog [name=force]').click()")
            page.click("dialog-yes")
            page.shows("machine-web", "stopped")
            assert "shut off" in node.run(["virsh", "domstate", "web"]).stdout
        page.screenshot(f"role-{account}-{role}")
        assert page.complaints() == []
