"""The pages' pure models: what they say for a state, and what keys lead to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from installer.session.protocol import (
    Access,
    Choose,
    Failure,
    FoundSystem,
    Leave,
    Retry,
    Set,
    Stage,
    Start,
)
from installer.ui.page import Button, Choice, Drawing, Go, Many, Page, Text
from installer.ui.pages import CHOICES
from installer.ui.screen import Screen
from tests.unit.network.machines import nic
from tests.unit.storage.machines import disk
from tests.unit.ui.conftest import Hall
from tests.unit.ui.machines import KEY, PASSWORD, inventory


def field[T](page: Page, kind: type[T], name: str) -> T:
    found = next(x for x in page.fields if x.name == name)
    assert isinstance(found, kind)
    return found


def shown(page: Page) -> str:
    """All texts of a page."""
    words = [page.title, *page.lines, page.warning, page.blocked]
    for x in page.fields:
        words += x.lines if isinstance(x, Drawing) else [getattr(x, "label", "")]
        words += [y.label for y in getattr(x, "options", ())]
    return "\n".join(words)


def test_the_way_there_and_back(hall: Hall) -> None:
    person = hall.enter("tty1")
    seen = []
    for number, name in enumerate(CHOICES, 1):
        page = person.page()
        assert page.title.startswith(f"{number}/{len(CHOICES)} ") and page.help
        seen.append(page.name)
        person.apply(page.next)
    assert seen == list(CHOICES)
    for name in reversed(seen):
        assert person.page().name == name
        person.apply(person.page().back)


def test_hardware_explains_what_is_wrong(hall: Hall) -> None:
    hall.machine.found = inventory(
        cpu_virtualization=False,
        memory_mib=1024,
        interfaces=(nic(1, link_up=False),),
        disks=(disk("sda", read_only=True),),
    )
    hall.session.probe()
    words = shown(hall.enter("tty1").page())
    for text in ("VT-x", "little memory", "No network link", "No disk can be used", "link DOWN"):
        assert text in words
    hall.machine.found = inventory()
    hall.session.probe()
    assert not any(x.name == "warnings" for x in hall.enter("tty2").page().fields)


def test_disks_are_drawn_before_and_after(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("disks"),))
    page = person.page()
    assert "serial SER-SDC; now: ext4" in " ".join(
        x.note for x in field(page, Many, "disks").options
    )
    lines = field(page, Drawing, "drawing").lines
    assert lines[0].startswith("/dev/sda  32 GiB: ALL OF IT IS ERASED")
    assert "EFI" in lines[2] and "LVM 31.5 GiB" in lines[2]
    assert {len(line) for line in lines[1:3]} == {person.view.width - 6}
    assert 'ext4 "precious"' in lines[-1]
    person.view = replace(person.view, width=160)
    assert "BIOS 1007 KiB|" in field(person.page(), Drawing, "drawing").lines[2].replace("│", "|")


def test_a_mirror(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("disks"),))
    person.apply(field(person.page(), Choice, "layout").change("zfs-raid1"))
    assert "2 or more disks" in person.page().blocked
    disks = field(person.page(), Many, "disks")
    person.apply(disks.change(tuple(x.value for x in disks.options[:2])))
    assert not person.page().blocked
    assert hall.session.draft["disk-setup"]["zfs"] == {"raid": "raid1"}
    # Back to one disk: the first one stays.
    person.apply(field(person.page(), Choice, "layout").change("xfs"))
    assert len(hall.session.draft["disk-setup"]["disk-list"]) == 1
    disks = field(person.page(), Many, "disks")
    person.apply(disks.change((*disks.values, disks.options[2].value)))
    assert hall.session.draft["disk-setup"]["disk-list"] == [disks.options[2].value]


def test_sizes_are_checked_while_they_are_typed(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("disks"),))
    person.apply(field(person.page(), Text, "hdsize").change("many"))
    assert "a number" in field(person.page(), Text, "hdsize").problem
    assert person.page().blocked
    person.apply(field(person.page(), Text, "hdsize").change("16.0"))
    assert field(person.page(), Text, "hdsize").value == "16"
    person.apply(field(person.page(), Text, "hdsize").change(""))
    assert "lvm" not in hall.session.draft["disk-setup"]


def test_a_country_offers_keyboard_and_time_zone(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("location"),))
    person.apply(field(person.page(), Choice, "country").change("at"))
    assert field(person.page(), Choice, "timezone").value == "Europe/Vienna"
    assert field(person.page(), Choice, "keyboard").value == "de"
    assert hall.machine.done[-1] == "keyboard de"
    assert field(person.page(), Choice, "timezone").options[0].value == "Europe/Vienna"


def test_the_password_is_typed_twice(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("root"),))
    assert person.page().blocked == "root needs a password"
    person.apply(field(person.page(), Text, "password").change("short"))
    assert "3 more" in field(person.page(), Text, "password").problem
    person.apply(field(person.page(), Text, "password").change(PASSWORD))
    assert "not the same" in field(person.page(), Text, "repeat").problem
    person.apply(field(person.page(), Text, "repeat").change(PASSWORD))
    assert not person.page().blocked
    assert all(PASSWORD not in text for text in hall.told.values())


def test_keys_are_added_and_removed(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("root"),))
    person.apply(field(person.page(), Text, "key").change("nonsense"))
    assert "SSH key" in field(person.page(), Text, "key").problem
    person.apply(field(person.page(), Text, "key").change(KEY))
    person.apply(field(person.page(), Button, "add").press)
    assert field(person.page(), Many, "keys").values == (KEY,)
    assert field(person.page(), Text, "key").value == ""
    person.apply(field(person.page(), Many, "keys").change(()))
    assert hall.session.draft["global"]["root-ssh-keys"] == []


def test_keys_are_fetched_when_the_machine_is_online(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("root"),))
    person.apply(field(person.page(), Text, "key").change("gh:somebody"))
    person.apply(field(person.page(), Button, "import").press)
    assert field(person.page(), Many, "keys").values == (KEY,)
    hall.machine.found = inventory(leases=())
    hall.session.probe()
    person.apply(field(person.page(), Text, "key").change("gl:somebody"))
    assert "not online" in field(person.page(), Text, "key").problem
    assert not any(x.name == "import" for x in person.page().fields)


def test_two_links_are_a_bond_and_a_tag_is_a_vlan(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("network"),))
    assert "link DOWN" in shown(person.page()) and "DHCP 198.51.100.1/24" in shown(person.page())
    person.apply(field(person.page(), Many, "nics").change(("eno1", "eno2")))
    person.apply(field(person.page(), Choice, "mode").change("802.3ad"))
    person.apply(field(person.page(), Text, "vlan").change("20"))
    network = hall.session.draft["network"]
    bond = {"name": "bond0", "mode": "802.3ad", "interfaces": ["eno1", "eno2"]}
    assert network["bonds"] == [bond]
    assert network["vlans"] == [{"name": "vlan20", "id": 20, "interface": "bond0"}]
    assert network["interface"] == "vlan20"
    assert not person.page().blocked
    person.apply(field(person.page(), Text, "vlan").change("5000"))
    assert field(person.page(), Text, "vlan").problem
    person.apply(field(person.page(), Text, "vlan").change(""))
    person.apply(field(person.page(), Many, "nics").change(("eno2",)))
    assert hall.session.draft["network"]["interface"] == "eno2"
    assert "bonds" not in hall.session.draft["network"]


def test_addresses_are_checked_while_they_are_typed(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("network"),))
    person.apply(field(person.page(), Text, "cidr").change("198.51.100.9/2"))
    person.apply(field(person.page(), Text, "dns").change("192.0.2.1, nonsense"))
    assert field(person.page(), Text, "dns").problem
    assert field(person.page(), Button, "offer").label.endswith("198.51.100.1/24")
    person.apply(field(person.page(), Button, "offer").press)
    assert not person.page().blocked
    person.apply(field(person.page(), Choice, "source").change("dhcp"))
    assert not any(x.name == "cidr" for x in person.page().fields)


def test_a_cluster_that_cannot_be_planned_is_refused_in_the_planners_words(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("root"),))
    person.apply(field(person.page(), Text, "password").change(PASSWORD))
    person.apply(field(person.page(), Text, "repeat").change(PASSWORD))
    person.apply((Go("cluster"),))
    person.apply(field(person.page(), Choice, "mode").change("join"))
    assert person.page().blocked == "a token is needed"
    person.apply(field(person.page(), Text, "token").change("not-a-token"))
    assert hall.session.draft["cluster"] == {"mode": "join", "token": "not-a-token"}
    assert "not-a-token" not in hall.told["state"]
    person.apply(field(person.page(), Choice, "mode").change("create"))
    assert person.page().blocked == "the cluster needs a name"
    person.apply(field(person.page(), Text, "name").change("no spaces please"))
    assert field(person.page(), Text, "name").problem
    person.apply(field(person.page(), Text, "name").change("rack7"))
    assert not person.page().blocked and hall.state()["plan"]
    # A capital letter is fine in a host's name, and not in a member's.
    hall.ask(Set(path=("global", "fqdn"), value="NODE1.example.com"))
    assert hall.state()["plan"] is None
    assert "cannot be the name of a member" in person.page().warning


def ready(hall: Hall) -> None:
    person = hall.enter("root")
    person.apply((Go("root"),))
    person.apply(field(person.page(), Text, "password").change(PASSWORD))
    person.apply(field(person.page(), Text, "repeat").change(PASSWORD))


def test_the_summary_needs_the_word(hall: Hall) -> None:
    person = hall.enter("tty1")
    person.apply((Go("summary"),))
    assert "root-password" in shown(person.page())
    ready(hall)
    page = person.page()
    assert "/dev/sda" in page.warning and "/dev/sdb" not in page.warning
    assert hall.session.state.plan
    assert field(page, Drawing, "plan").lines == tuple(hall.session.state.plan.text.splitlines())
    assert not any(x.name == "start" for x in page.fields)
    person.apply(field(page, Text, "confirmation").change("yes"))
    assert field(person.page(), Text, "confirmation").problem
    person.apply(field(page, Text, "confirmation").change("erase"))
    person.apply(field(person.page(), Button, "start").press)
    assert person.page().name == "installing"
    assert isinstance(hall.session.orders.get_nowait(), Start)
    # The next time the word has to be typed again.
    assert not person.view.memory["confirmation"]


def test_a_failure_says_what_why_and_what_to_try(hall: Hall) -> None:
    person = hall.enter("tty1")
    failure = Failure(
        message="wipefs ended with status 1",
        where="wipefs /dev/sda",
        hint="Device or resource busy",
        step="clear every signature on /dev/sda",
        retry=True,
    )
    hall.session.fail(failure)
    words = shown(person.page())
    for text in (*failure.model_dump(exclude={"retry"}).values(), "/run/slipway/installer.log"):
        assert text in words
    presses = {x.name: x.press for x in person.page().fields if isinstance(x, Button)}
    assert presses["retry"] == (Retry(),) and presses["over"] == (Retry(begin="beginning"),)
    assert presses["choose"] == (Choose(), Go("hardware"))
    assert presses["reboot"] == (Leave(mode="reboot"),)
    hall.session.fail(failure.model_copy(update={"retry": False}))
    assert not any(x.name == "retry" for x in person.page().fields)


def test_done_shows_the_address(hall: Hall) -> None:
    person = hall.enter("tty1")
    hall.session.update(stage="installed", address="https://192.0.2.10:9090/")
    assert "https://192.0.2.10:9090/" in shown(person.page())


def test_the_menu_shows_how_to_log_in(hall: Hall) -> None:
    person = hall.enter("tty1")
    hall.session.update(access=Access(user="root", password="abcd"))
    person.apply((Go("network"), Go("menu")))
    assert "SSH: root@198.51.100.1  password: abcd" in shown(person.page())
    person.apply(person.page().back)
    assert person.page().name == "network"


def test_the_answer_file_as_text_and_picture(hall: Hall) -> None:
    ready(hall)
    person = hall.enter("tty1")
    person.apply((Go("save"),))
    person.apply(field(person.page(), Button, "text").press)
    text = "\n".join(field(person.page(), Drawing, "answer").lines)
    assert 'fqdn = "node1.lab.example.org"' in text
    person.apply((Go("qr"),))
    assert "This terminal has 80x24 characters" in shown(person.page())
    hall.ask(Set(path=("global", "root-ssh-keys"), value=[f"ssh-ed25519 {'A' * 68} laboratory"]))
    # What a virtual terminal of 1280x800 points has.
    person.view = replace(person.view, width=160, height=50)
    assert len(field(person.page(), Drawing, "qr").lines) > 20
    picture = Screen(person)
    picture.refresh()
    drawn = picture.widget.render((160, 50), focus=True).text
    assert sum(b"\xe2\x96" in line for line in drawn) == len(
        field(person.page(), Drawing, "qr").lines
    )
    person.apply(person.page().back)
    person.apply(field(person.page(), Button, "sticks").press)
    person.apply(field(person.page(), Button, "/dev/sdz1").press)
    assert "Saved as answer.toml." in shown(person.page())


def test_the_rescue(hall: Hall) -> None:
    person = hall.enter("tty1")
    found = FoundSystem(name="node1, Debian", device="/dev/sda3", storage="ext4, lvm", slipway=True)
    hall.session.update(stage="rescue", systems=(found,), found=True)
    assert "Mount node1, Debian on /dev/sda3 (ext4, lvm)" in shown(person.page())
    mounted = found.model_copy(update={"place": "/rescue"})
    hall.session.update(systems=(mounted,))
    names = [x.name for x in person.page().fields]
    assert names[:2] == ["shell", "boot"] and "release" in names
    hall.session.update(systems=())
    assert "No installed system was found." in shown(person.page())


@pytest.mark.parametrize(
    "stage", ["looking", "choosing", "installing", "failed", "installed", "rescue", "leaving"]
)
def test_every_stage_has_a_page_with_help(hall: Hall, stage: Stage) -> None:
    hall.session.update(stage=stage)
    page = hall.enter("tty1").page()
    assert page.title and page.help


def test_what_others_change_is_told(hall: Hall) -> None:
    one, other = hall.enter("tty1"), hall.enter("ttyS0")
    one.apply((Go("network"),))
    one.apply(field(one.page(), Text, "fqdn").change("new.example.com"))
    assert other.notice() == "tty1: global.fqdn" and not one.notice()
    other.apply((Go("network"),))
    assert field(other.page(), Text, "fqdn").value == "new.example.com"
    hall.session.update(stage="installed")
    assert not other.notice()
