"""Names of guests, and what the CIB says of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cluster.guests import csync2, look, report
from agent.cluster.guests.model import (
    COPIES,
    Claim,
    Kind,
    claim_name,
    claim_names,
    claims,
    copy_of,
    digest,
    guest,
    key,
    title,
)
from agent.cluster.guests.plan import State
from installer.plan.storage.btrfs import GUESTS

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1)


@given(st.sampled_from(["vm", "container"]), NAMES)
def test_every_name_has_a_key_of_its_own(kind: Kind, name: str) -> None:
    made = key(kind, name)
    assert guest(made) == (kind, name)
    # It is an XML ID and a file name, and splits from its generation.
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", made) and "__" not in made
    claim = Claim("node1", (digest(name),), 7)
    assert claims({claim_name(made, 7): str(claim)}) == {made: claim}


def test_common_names_stay_readable() -> None:
    assert key("vm", "web-1.example") == "vm-web-1.example"
    assert key("vm", "my web") == "vm-my_20web"
    assert title("container-mail") == "container mail"
    assert copy_of("container-mail", Path("/x")) == Path("/x/container-mail.conf")


def test_the_highest_generation_counts_and_damaged_texts_do_not() -> None:
    one, two = Claim("node1", ("1" * 64,), 9), Claim("node2", ("2" * 64, "3" * 64), 10)
    texts = {claim_name("vm-web", each.generation): str(each) for each in (two, one)}
    texts |= {"guest-vm-web__11": "rubbish", "guest-vm-mail": str(one), "rotation": "3"}
    assert claims(texts) == {"vm-web": two} and claims(texts)["vm-web"].generation == 10
    assert claim_names(texts, "vm-web", below=10) == ("guest-vm-web__9",)
    assert len(claim_names(texts, "vm-web")) == 3


DOMAIN = "<domain type='kvm'><name>web</name><uuid>{}</uuid><memory>{}</memory></domain>"


def test_the_same_machine_is_known_by_its_uuid() -> None:
    assert look.same_machine(DOMAIN.format("a", 1), DOMAIN.format("a", 2))
    assert not look.same_machine(DOMAIN.format("a", 1), DOMAIN.format("b", 1))
    assert look.same_machine("lxc.uts.name = a", "lxc.uts.name = a")
    assert not look.same_machine("lxc.uts.name = a", "lxc.uts.name = b")


def test_definitions_copies_and_what_starts_with_the_node(tmp_path: Path) -> None:
    libvirt, lxc, copies = (tmp_path / name for name in ("qemu", "lxc", "copies"))
    for folder in (libvirt / "networks", libvirt / "autostart", lxc / "mail", copies):
        folder.mkdir(parents=True)
    (libvirt / "my web.xml").write_text("machine")
    (libvirt / "networks/default.xml").write_text("network")
    (libvirt / "autostart/my web.xml").symlink_to("../my web.xml")
    (lxc / "mail/config").write_text("lxc.uts.name = mail\nlxc.start.auto = 1\n")
    (copies / "vm-db.v2.xml").write_text("copy")
    (copies / ".vm-db.v2.xml.new").write_text("half")
    found = look.definitions(libvirt, lxc)
    assert found.keys() == {"vm-my_20web", "container-mail"}
    assert found["vm-my_20web"] == "machine"
    assert look.copies(copies) == {"vm-db.v2": digest("copy")}
    assert look.starting_with_the_node(libvirt, lxc) == found.keys()


def test_copies_lie_apart_from_disks() -> None:
    """Copies are for root only; QEMU has to reach the disks of a node on btrfs."""
    assert COPIES != Path(GUESTS) and Path(GUESTS) not in COPIES.parents


def test_csync2_sends_to_real_names_and_receives_from_names_behind_the_tunnel() -> None:
    texts = csync2.configurations(["node2", "node1"], "node1")
    sending, receiving = texts.values()
    assert "    host node1.tunnel;\n    host node2;\n" in sending
    assert "    host node1.tunnel;\n    host node2.tunnel;\n" in receiving
    assert "nossl * *;" in sending and "include /var/lib/slipway/definitions;" in sending


def test_csync2_has_a_key_that_follows_corosyncs() -> None:
    assert csync2.secret(b"one") != csync2.secret(b"two")
    assert len(csync2.secret(b"one")) == 64 and "one" not in csync2.secret(b"one")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State("node2", frozenset(), frozenset()), "vm web: the copy here is stale"),
        (State("node2", frozenset(["node1"]), frozenset(), {"vm-web": ""}), "another member"),
        (State("node1", frozenset(), frozenset()), "is not defined here"),
    ],
)
def test_what_a_person_is_told(state: State, said: str) -> None:
    state = replace(state, claims={"vm-web": Claim("node1", ("1" * 64,))})
    found = report.compose(state)
    assert found.known == 1
    assert any(said in line for line in report.lines(found))
