"""Small texts in Pacemaker's cluster information base (CIB).

The CIB is replicated to every member, and its controller does one change at a time. Each text is
a property set of its own, because creating one is a test-and-set for the whole cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from agent.core.command import run
from agent.core.errors import CommandFailed

SECONDS = 120
PREFIX = "slipway-"
# Exit statuses of cibadmin, see crm_error(8).
EXISTS, MISSING = 108, 105


def values(element: ElementTree.Element, kind: str) -> dict[str, str]:
    """What an element says by name. kind: of the set, like "instance_attributes"."""
    pairs = element.iterfind(f"{kind}/nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}


@dataclass(frozen=True)
class Cib:
    """The live CIB. Every method raises CommandFailed when it cannot be reached."""

    def texts(self) -> dict[str, str]:
        """All of Slipway's texts by their names."""
        result = run(["cibadmin", "--query", "--scope", "crm_config"], timeout=SECONDS)
        found = values(ElementTree.fromstring(result.stdout), "cluster_property_set").items()
        return {n.removeprefix(PREFIX): value for n, value in found if n.startswith(PREFIX)}

    def create(self, name: str, text: str) -> bool:
        """Write a text of a new name. False, and nothing changed, when the name exists.

        Of several members that create the same name at once, exactly one is told True.
        """
        return self._write("--create", name, text)

    def replace(self, name: str, text: str) -> None:
        """Write a text whether or not the name exists."""
        self._write("--modify", name, text, "--allow-create")

    def delete(self, name: str, text: str | None = None) -> None:
        """Delete a text, if it is there; with `text` given only if it is still this one."""
        path = f"//cluster_property_set[@id='{PREFIX}{name}']"
        if text is not None:
            path += f"[nvpair/@value={quoteattr(text)}]"
        argv = ["cibadmin", "--delete", "--scope", "crm_config", "--xpath", path]
        result = run(argv, check=False, timeout=SECONDS)
        if result.status not in (0, MISSING):
            raise CommandFailed(result.argv, result.status, result.stderr)

    def _write(self, action: str, name: str, text: str, *options: str) -> bool:
        id = quoteattr(PREFIX + name)
        pair = f"<nvpair id={id[:-1]}-text{id[-1]} name={id} value={quoteattr(text)}/>"
        xml = f"<cluster_property_set id={id}>{pair}</cluster_property_set>"
        argv = ["cibadmin", action, *options, "--scope", "crm_config", "--xml-pipe"]
        result = run(argv, input=xml, check=False, timeout=SECONDS)
        if result.status not in (0, EXISTS):
            raise CommandFailed(result.argv, result.status, result.stderr)
        return result.status == 0
