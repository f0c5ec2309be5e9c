"""The rescue: installed systems, and what can be done about them."""

from __future__ import annotations

from collections.abc import Iterator

from installer.session.protocol import Choose, FoundSystem, Leave, Rescue
from installer.ui.page import Button, Do, Field, Go, Page, Remember, Text
from installer.ui.text import _
from installer.ui.view import View


def rescue_page(view: View) -> Page:
    return Page(
        "rescue",
        _("Rescue"),
        help=_(
            "Installed systems are looked for on LVM, md, ZFS, btrfs and plain partitions. One is "
            "mounted at a time, with everything that belongs to it. In its shell you are root of "
            "the installed system; exit leads back here."
        ),
        lines=tuple(_lines(view)),
        fields=tuple(_fields(view)),
    )


def _lines(view: View) -> Iterator[str]:
    if view.state.busy:
        yield view.state.busy
    reply = view.replies.get("rescue")
    if reply and reply.error:
        yield reply.error
    elif reply and reply.result.get("said"):
        yield str(reply.result["said"])
    if view.state.found and not view.state.systems:
        yield _("No installed system was found.")


def _fields(view: View) -> Iterator[Field]:
    mounted = next((x for x in view.state.systems if x.place), None)
    if mounted:
        yield from _mounted(view, mounted)
    else:
        yield Button("find", _("Look for installed systems"), (Rescue(action="find"),))
        for number, system in enumerate(view.state.systems):
            label = _("Mount {name} on {device} ({storage})").format(
                name=system.name, device=system.device, storage=system.storage
            )
            yield Button(f"mount-{number}", label, (Rescue(action="mount", system=number),))
    yield Button("choose", _("Leave the rescue, install"), (Choose(), Go("hardware")))
    yield Button("reboot", _("Restart"), (Leave(mode="reboot"),))


def _mounted(view: View, system: FoundSystem) -> Iterator[Field]:
    yield Button("shell", _("Shell in {name}").format(name=system.name), (Do("shell"),))
    if system.slipway:
        yield Button("boot", _("Make the boot loader again"), (Rescue(action="boot-loader"),))
    typed = view.memory.get("new-password", "")
    yield Text(
        "new-password",
        _("New password of root"),
        typed,
        lambda text: (Remember("new-password", text),),
        secret=True,
        normal=str,
    )
    if typed:
        command = Rescue.model_validate({"action": "password", "password": typed})
        yield Button("password", _("Set the password"), (command, Remember("new-password", "")))
    yield Button(
        "release", _("Unmount {name}").format(name=system.name), (Rescue(action="release"),)
    )
