"""The pages, each a pure function of the view, and which one is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from installer.ui.page import Go, Page
from installer.ui.pages.cluster import cluster_page
from installer.ui.pages.disks import disks_page
from installer.ui.pages.ending import failure_page, installed_page, leaving_page, looking_page
from installer.ui.pages.hardware import hardware_page
from installer.ui.pages.installing import installing_page
from installer.ui.pages.location import location_page
from installer.ui.pages.menu import menu_page
from installer.ui.pages.network import network_page
from installer.ui.pages.rescue import rescue_page
from installer.ui.pages.root import root_page
from installer.ui.pages.save import log_page, qr_page, save_page
from installer.ui.pages.summary import summary_page
from installer.ui.view import View

Maker = Callable[[View], Page]
# The way through the choices.
CHOICES: dict[str, Maker] = {
    "hardware": hardware_page,
    "disks": disks_page,
    "location": location_page,
    "root": root_page,
    "network": network_page,
    "cluster": cluster_page,
    "summary": summary_page,
}
# What a stage of the session shows; the choices otherwise.
STAGES: dict[str, Maker] = {
    "looking": looking_page,
    "installing": installing_page,
    "failed": failure_page,
    "installed": installed_page,
    "rescue": rescue_page,
    "leaving": leaving_page,
}
# Pages beside the way, which lead back to it.
ASIDE: dict[str, Maker] = {
    "menu": menu_page,
    "save": save_page,
    "qr": qr_page,
    "send-log": log_page,
}


def page_of(view: View) -> Page:
    """The page to show."""
    if view.page in ASIDE and view.state.stage not in ("looking", "leaving"):
        return ASIDE[view.page](view)
    if view.state.stage in STAGES:
        return STAGES[view.state.stage](view)
    name = view.page if view.page in CHOICES else "hardware"
    return _on_the_way(name, view)


def _on_the_way(name: str, view: View) -> Page:
    names = list(CHOICES)
    number = names.index(name)
    page = CHOICES[name](view)
    return replace(
        page,
        title=f"{number + 1}/{len(names)} {page.title}",
        back=tuple(Go(before) for before in names[:number][-1:]),
        next=tuple(Go(after) for after in names[number + 1 :][:1]),
    )
