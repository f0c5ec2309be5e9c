"""The network page's choices, and the [network] table that they stand for. Pure, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Table = dict[str, Any]
BOND, DEFAULT_MODE = "bond0", "active-backup"
REPLACED = ("source", "cidr", "gateway", "dns", "interface", "filter", "bonds", "vlans")


@dataclass(frozen=True)
class NetworkChoices:
    """source: as in the answer file; nics: more than one, or a mode, make a bond; vlan: the tag
    of the management network as typed, empty for none."""

    source: str = "from-answer"
    nics: tuple[str, ...] = ()
    mode: str = ""
    vlan: str = ""
    cidr: tuple[str, ...] = ()
    gateway: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()


def from_table(table: Table) -> NetworkChoices:
    """The choices that this table stands for."""
    bond = next(iter(table.get("bonds") or ()), None)
    vlan = next(iter(table.get("vlans") or ()), None)
    interface = table.get("interface")
    if bond:
        nics = tuple(x for x in bond.get("interfaces", ()) if isinstance(x, str))
    else:
        carrier = vlan.get("interface") if vlan else interface
        nics = (carrier,) if isinstance(carrier, str) else ()
    return NetworkChoices(
        source=table.get("source", "from-answer"),
        nics=nics,
        mode=bond.get("mode", DEFAULT_MODE) if bond else "",
        vlan=str(vlan.get("id", "")) if vlan else "",
        cidr=_many(table.get("cidr")),
        gateway=_many(table.get("gateway")),
        dns=_many(table.get("dns")),
    )


def to_table(choices: NetworkChoices, kept: Table) -> Table:
    """The table for these choices. kept: the table before, whose other keys stay."""
    table = {key: value for key, value in kept.items() if key not in REPLACED}
    table["source"] = choices.source
    if choices.source == "from-answer":
        table |= {
            "cidr": list(choices.cidr),
            "gateway": list(choices.gateway),
            "dns": list(choices.dns),
        }
    carrier = choices.nics[0] if choices.nics else ""
    if choices.mode:
        bond = {"name": BOND, "mode": choices.mode, "interfaces": list(choices.nics)}
        table["bonds"], carrier = [bond], BOND
    if choices.vlan and carrier:
        vlan = int(choices.vlan) if choices.vlan.isdigit() else choices.vlan
        # Names of links have at most 15 characters.
        name = f"vlan{choices.vlan}"[:15]
        table["vlans"], carrier = [{"name": name, "id": vlan, "interface": carrier}], name
    return table | ({"interface": carrier} if carrier else {})


def _many(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()
