"""Name and network: links with their state, a bond, a VLAN, addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import get_args

from installer.answers.links import BondMode
from installer.inventory.model import Inventory, NetworkInterface
from installer.session.defaults import network_of
from installer.ui.network_choices import DEFAULT_MODE, NetworkChoices, from_table, to_table
from installer.ui.page import Button, Choice, Effects, Field, Many, Option, Page, Text
from installer.ui.pages.hardware import link_text
from installer.ui.text import _
from installer.ui.view import View, joined, listed


def network_page(view: View) -> Page:
    table = view.at("network") or {}
    choices = from_table(table)

    def change(**values: object) -> Effects:
        changed = replace(choices, **values)  # type: ignore[arg-type]
        return (view.set(("network",), to_table(changed, table)),)

    return Page(
        "network",
        _("Name and network"),
        help=_(
            "The node's address is on the bridge vmbr0, which guests can use too. With more than "
            "one link they become a bond: active-backup needs nothing of the switch, 802.3ad "
            "needs LACP there. A VLAN tag puts the node's address into a tagged network. Several "
            "addresses, name servers or gateways are separated by commas; IPv6 is welcome. Links "
            "are watched: plug a cable in and see which one changes."
        ),
        fields=tuple(_fields(view, choices, change)),
        blocked=view.problem("global", "fqdn") or _blocked(view, choices),
    )


def _fields(view: View, choices: NetworkChoices, change: Callable[..., Effects]) -> Iterator[Field]:
    yield Text(
        "fqdn",
        _("Name with domain"),
        view.text_at("global", "fqdn"),
        lambda text: (view.set(("global", "fqdn"), text.strip()),),
        view.problem("global", "fqdn"),
    )
    yield Many(
        "nics",
        _("Links"),
        choices.nics,
        tuple(_option(nic, view.inventory) for nic in _nics(view)),
        lambda values: change(nics=values, mode=_mode(values, choices.mode)),
        view.problem("network", "interface") or view.problem("network", "bonds"),
    )
    if choices.mode:
        yield _choice("mode", _("Bond"), choices.mode, get_args(BondMode), change)
    yield Text(
        "vlan",
        _("VLAN tag, if any"),
        choices.vlan,
        lambda text: change(vlan=text.strip()),
        view.problem("network", "vlans"),
    )
    yield Choice(
        "source",
        _("Addresses"),
        choices.source,
        (
            Option("from-answer", _("as given here")),
            Option("from-dhcp", _("what DHCP offers now, for good")),
            Option("dhcp", _("from DHCP at each start")),
        ),
        lambda value: change(source=value),
    )
    if choices.source == "from-answer":
        yield from _address_fields(view, choices, change)


def _address_fields(
    view: View, choices: NetworkChoices, change: Callable[..., Effects]
) -> Iterator[Field]:
    offered = [x for x in (view.inventory.leases if view.inventory else ()) if x.gateway]
    for lease in offered[:1]:
        if from_table(network_of(lease)) != replace(choices, nics=(lease.interface,)):
            label = _("Take what DHCP offers: {address}").format(address=lease.address)
            taken = view.set(("network",), network_of(lease))
            yield Button("offer", label, (taken,))
    labels = {
        "cidr": _("Address/prefix"),
        "gateway": _("Gateway"),
        "dns": _("Name servers"),
    }
    for name, label in labels.items():
        yield _addresses(name, label, view, choices, change)


def _addresses(
    name: str, label: str, view: View, choices: NetworkChoices, change: Callable[..., Effects]
) -> Text:
    return Text(
        name,
        label,
        ", ".join(getattr(choices, name)),
        lambda text: change(**{name: tuple(listed(text))}),
        view.problem("network", name),
        normal=joined,
    )


def _choice(
    name: str, label: str, value: str, values: tuple[str, ...], change: Callable[..., Effects]
) -> Choice:
    options = tuple(Option(x, x) for x in values)
    return Choice(name, label, value, options, lambda chosen: change(**{name: chosen}))


def _mode(nics: tuple[str, ...], mode: str) -> str:
    return (mode or DEFAULT_MODE) if len(nics) > 1 else ""


def _nics(view: View) -> tuple[NetworkInterface, ...]:
    return view.inventory.interfaces if view.inventory else ()


def _option(nic: NetworkInterface, inventory: Inventory | None) -> Option:
    lease = next(
        (x.address for x in (inventory.leases if inventory else ()) if x.interface == nic.name), ""
    )
    offered = f", DHCP {lease}" if lease else ""
    return Option(nic.name, f"{nic.name}  {nic.mac}  {link_text(nic)}{offered}")


def _blocked(view: View, choices: NetworkChoices) -> str:
    if not choices.nics:
        return _("choose a link")
    if choices.source == "from-answer" and not choices.cidr:
        return _("the node needs an address, like 192.0.2.10/24")
    return view.problem("network")
