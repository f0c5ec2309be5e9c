"""The Debian package `slipway`: the agent, as any other software of the node."""

from __future__ import annotations

import shutil
from pathlib import Path

from agent import __version__
from agent.core.command import run
from agent.core.template import TEMPLATES, render_tree
from image.manual import write_pages

LIBRARY = Path("usr/lib/slipway")
# The page, where Cockpit looks for pages, and where it is in the checkout.
PAGE, PAGE_SOURCES = Path("usr/share/cockpit/slipway"), Path("agent/page")
# What of config-templates the node itself renders.
NODE_TEMPLATES = ("agent", "boot")


def copy_sources(names: tuple[str, ...], top: Path, target: Path) -> None:
    """Copy packages of the checkout, without what Python leaves beside them."""
    for name in names:
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(top / name, target / name, ignore=ignore, dirs_exist_ok=True)


def copy_agent(top: Path, tree: Path) -> None:
    """Copy the agent of the checkout to its place in a tree, and its page to Cockpit's."""
    copy_sources(("agent",), top, tree / LIBRARY)
    shutil.rmtree(tree / LIBRARY / PAGE_SOURCES)
    shutil.copytree(top / PAGE_SOURCES, tree / PAGE, dirs_exist_ok=True)


def render_package(tree: Path) -> None:
    """Write the package's own files into a tree."""
    render_tree("package", tree, version=__version__)
    # sudo wants its files so, and git does not keep it.
    (tree / "etc/sudoers.d/slipway-roles").chmod(0o440)


def path_in(folder: Path) -> Path:
    """The package's path in the folder it was made in."""
    return folder / f"slipway_{__version__}_all.deb"


def make_package(top: Path, stack: Path, folder: Path) -> None:
    """Write folder/slipway_VERSION_all.deb. stack: the stack file that the agent reads."""
    tree = folder / "tree"
    copy_agent(top, tree)
    shutil.copy(stack, tree / LIBRARY / "stack.toml")
    for name in NODE_TEMPLATES:
        shutil.copytree(TEMPLATES / name, tree / LIBRARY / "config-templates" / name)
    render_package(tree)
    write_pages(tree, __version__)
    run(["dpkg-deb", "--build", "--root-owner-group", "-Zxz", tree, path_in(folder)])
    shutil.rmtree(tree)
