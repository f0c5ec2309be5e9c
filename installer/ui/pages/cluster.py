"""Whether the node stays alone, founds a cluster, or joins one."""

from __future__ import annotations

from collections.abc import Iterator

from installer.session.draft import HIDDEN
from installer.ui.page import Choice, Effects, Field, Option, Page, Text
from installer.ui.text import _
from installer.ui.view import View


def cluster_page(view: View) -> Page:
    mode = view.text_at("cluster", "mode") or "none"
    return Page(
        "cluster",
        _("Cluster"),
        help=_(
            "A node can stay alone and join a cluster later. The first node of a cluster creates "
            "it and gives it a name. Every other node joins with a token, which a member makes "
            "for it and which works once. The token is long: over SSH it can be pasted."
        ),
        fields=tuple(_fields(view, mode)),
        # Whether this installer can do it is only known when everything else is there, too.
        warning=view.state.plan_problem if mode != "none" else "",
        blocked=_blocked(view, mode),
    )


def _fields(view: View, mode: str) -> Iterator[Field]:
    yield Choice(
        "mode",
        _("Cluster"),
        mode,
        (
            Option("none", _("none: the node stays alone")),
            Option("create", _("create a new cluster")),
            Option("join", _("join a cluster with a token")),
        ),
        lambda value: _choose(view, value),
    )
    if mode == "create":
        yield Text(
            "name",
            _("Name"),
            view.text_at("cluster", "name"),
            lambda text: (view.set(("cluster", "name"), text.strip() or None),),
            view.problem("cluster", "name"),
        )
    if mode == "join":
        known = view.at("cluster", "token") == HIDDEN
        yield Text(
            "token",
            _("Token (is set; type to replace)") if known else _("Token"),
            view.memory.get("token", ""),
            lambda text: (view.set(("cluster", "token"), text.strip() or None),),
            view.problem("cluster", "token"),
            secret=True,
            normal=str,
        )


def _choose(view: View, mode: str) -> Effects:
    return (view.set(("cluster",), None if mode == "none" else {"mode": mode}),)


def _blocked(view: View, mode: str) -> str:
    if mode == "create" and not view.at("cluster", "name"):
        return _("the cluster needs a name")
    if mode == "join" and not view.at("cluster", "token"):
        return _("a token is needed")
    return view.problem("cluster")
