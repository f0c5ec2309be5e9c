"""What is beside the way: shell, answer file, log, rescue, restart."""

from __future__ import annotations

from collections.abc import Iterator

from installer.session.protocol import Leave, Probe, Rescue, Sticks
from installer.ui.page import Button, Do, Field, Go, Page
from installer.ui.text import _
from installer.ui.view import View

HOME = Go("")


def menu_page(view: View) -> Page:
    return Page(
        "menu",
        _("Menu"),
        help=_(
            "A shell ends with exit, and this page comes back. The rescue looks for installed "
            "systems, and changes nothing before you ask for it."
        ),
        lines=tuple(_access(view)),
        fields=tuple(_ways(view)),
        back=(HOME,),
    )


def _access(view: View) -> Iterator[str]:
    access = view.state.access
    leases = view.inventory.leases if view.inventory else ()
    if access:
        where = [lease.address.partition("/")[0] for lease in leases] or [_("(no address yet)")]
        for address in where:
            yield f"SSH: {access.user}@{address}  {_('password')}: {access.password}"


def _ways(view: View) -> Iterator[Field]:
    stage = view.state.stage
    yield Button("shell", _("Shell"), (Do("shell"),))
    yield Button("log", _("Show the log"), (Do("show-log"),))
    yield Button("send", _("Send the log"), (Sticks(), Go("send-log")))
    if stage in ("choosing", "failed", "installed"):
        yield Button("save", _("Save the choices as an answer file"), (Sticks(), Go("save")))
    if stage in ("choosing", "failed"):
        yield Button("rescue", _("Rescue an installed system"), (Rescue(action="find"), HOME))
        yield Button("probe", _("Look at the machine again"), (Probe(), HOME))
    if stage != "installing":
        yield Button("reboot", _("Restart"), (Leave(mode="reboot"),))
        yield Button("power-off", _("Switch off"), (Leave(mode="power-off"),))
    yield Button("back", _("Back"), (HOME,))
