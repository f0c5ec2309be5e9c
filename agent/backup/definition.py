"""The definition of a virtual machine that is restored from a backup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement


def disks_of(xml: str) -> dict[str, str]:
    """For each disk, by its name in the machine ("vda"), the last part of its source's path.

    virtnbdrestore names the restored files so.
    """
    return {
        target: Path(source).name
        for disk in _disks(ElementTree.fromstring(xml))
        if (target := _target(disk)) and (source := _source(disk))
    }


def restored(xml: str, name: str, places: Mapping[str, Path]) -> str:
    """The definition with disks as qcow2 files at their new places, by their names in the machine.

    Under another name the machine is another one: with a UUID, network addresses and firmware
    variables of its own.
    """
    domain = ElementTree.fromstring(xml)
    for disk in _disks(domain):
        if place := places.get(_target(disk)):
            _move(disk, place)
    if domain.findtext("name") != name:
        _make_new(domain, name)
    return ElementTree.tostring(domain, encoding="unicode") + "\n"


def _disks(domain: Element) -> Iterator[Element]:
    yield from domain.findall("devices/disk[@device='disk']")


def _target(disk: Element) -> str:
    target = disk.find("target")
    return "" if target is None else target.get("dev", "")


def _source(disk: Element) -> str:
    source = disk.find("source")
    known = {} if source is None else source.attrib
    return next((known[key] for key in ("file", "dev", "volume", "name") if key in known), "")


def _move(disk: Element, place: Path) -> None:
    for old in (*disk.findall("source"), *disk.findall("backingStore")):
        disk.remove(old)
    disk.set("type", "file")
    SubElement(disk, "source", file=str(place))
    for driver in disk.findall("driver"):
        driver.set("type", "qcow2")


def _make_new(domain: Element, name: str) -> None:
    for parent, child in (("devices/interface", "mac"), ("os", "nvram"), (".", "uuid")):
        for element in domain.findall(parent):
            for old in element.findall(child):
                element.remove(old)
    for element in domain.findall("name"):
        element.text = name
