"""The first page: what the machine is, and what is wrong with it for a hypervisor."""

from __future__ import annotations

from collections.abc import Iterator

from installer.inventory.model import Inventory, NetworkInterface
from installer.plan.disk_checks import why_unusable
from installer.session.protocol import SetLanguage
from installer.ui.page import Choice, Drawing, Option, Page
from installer.ui.text import LANGUAGES, _
from installer.ui.view import View

# Less than this leaves no room for guests beside the node itself.
RECOMMENDED_MIB = 2000


def hardware_page(view: View) -> Page:
    language = Choice(
        "language",
        _("Language"),
        view.state.language,
        tuple(Option(code, name) for code, name in LANGUAGES.items()),
        lambda value: (SetLanguage.model_validate({"language": value}),),
    )
    found = Drawing("machine", tuple(_machine(view.inventory)))
    warnings = Drawing("warnings", tuple(_warnings(view.inventory)))
    return Page(
        "hardware",
        _("Hardware"),
        help=_(
            "Slipway installs Debian with KVM, LXC and a cluster on this machine. Nothing is "
            "written to any disk before the last page, where you type a word. The arrow keys and "
            "Tab move, Enter chooses, F8 or Esc goes back, F10 opens the menu with a shell, the "
            "rescue and the answer file. You can go on here, on another screen, on a serial line "
            "and over SSH at the same time: all show the same choices."
        ),
        lines=(_("This machine is going to be a node. Nothing is written before the last page."),),
        fields=(language, found, warnings) if warnings.lines else (language, found),
        blocked="" if view.inventory else _("the machine is being looked at"),
    )


def _machine(inventory: Inventory | None) -> Iterator[str]:
    if inventory is None:
        return
    dmi = inventory.dmi
    model = " ".join(filter(None, (dmi.get("sys_vendor", ""), dmi.get("product_name", ""))))
    secure = {True: _("on"), False: _("off"), None: _("not there")}
    rows = [
        (_("Machine"), model or _("unknown")),
        (_("Processor"), f"{inventory.cpu_model}, {inventory.cpu_threads} {_('threads')}"),
        (_("Virtualization"), _("yes") if inventory.cpu_virtualization else _("NO")),
        (_("Memory"), f"{inventory.memory_mib} MiB"),
        (_("Firmware"), inventory.firmware.mode.upper()),
        ("Secure Boot", secure[inventory.firmware.secure_boot]),
        (_("Disks"), _disks(inventory)),
    ]
    rows += [(_("Network"), _nic(nic)) for nic in inventory.interfaces]
    width = max(len(label) for label, _words in rows)
    yield from (f"{label:{width}}  {words}" for label, words in rows)


def _disks(inventory: Inventory) -> str:
    usable = sum(not why_unusable(disk) for disk in inventory.disks)
    return _("{usable} of {all} can be used").format(usable=usable, all=len(inventory.disks))


def _nic(nic: NetworkInterface) -> str:
    return f"{nic.name}  {nic.mac}  {link_text(nic)}"


def link_text(nic: NetworkInterface) -> str:
    """Whether the link is up, and how fast."""
    if nic.link_up is None:
        return _("link unknown")
    speed = f", {nic.speed_mbit} Mbit/s" if nic.link_up and nic.speed_mbit else ""
    return (_("link up") if nic.link_up else _("link DOWN")) + speed


def _warnings(inventory: Inventory | None) -> Iterator[str]:
    if inventory is None:
        return
    if not inventory.cpu_virtualization:
        yield _("! The processor offers no virtualization: virtual machines will be slow.")
        yield _("  Look in the firmware's setup for VT-x, AMD-V or SVM.")
    if inventory.memory_mib < RECOMMENDED_MIB:
        yield _("! There is little memory: guests will find none beside the node itself.")
    if not any(nic.link_up for nic in inventory.interfaces):
        yield _("! No network link is up: look at cables and switches.")
    if all(why_unusable(disk) for disk in inventory.disks):
        yield _("! No disk can be used. The page about disks says why.")
