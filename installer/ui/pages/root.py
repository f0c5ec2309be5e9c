"""How root logs in: the password, typed twice, and SSH keys; and where mail goes."""

from __future__ import annotations

from collections.abc import Iterator

from installer.answers.load import SSH_KEY
from installer.answers.system import MINIMUM_PASSWORD
from installer.session.protocol import ImportKeys, SetPassword
from installer.ui.page import Button, Effects, Field, Many, Option, Page, Remember, Text
from installer.ui.text import _
from installer.ui.view import View

KEYS = ("global", "root-ssh-keys")
SHOWN_KEY = 24


def root_page(view: View) -> Page:
    return Page(
        "root",
        _("Password and SSH keys of root"),
        help=_(
            "The password of root opens the console, SSH and the web page of the node. It has 8 "
            "characters or more and is typed twice. Public SSH keys are pasted one at a time, or "
            "fetched when the machine is online: gh:NAME from GitHub, gl:NAME from GitLab. Mail "
            "about failing disks and guests goes to the address."
        ),
        fields=tuple(_fields(view)),
        blocked=_blocked(view),
    )


def _fields(view: View) -> Iterator[Field]:
    first, second = view.memory.get("password", ""), view.memory.get("repeat", "")
    yield Text(
        "password",
        _("Password"),
        first,
        lambda text: _typed(text, second, "password", text),
        _problem(first, second)[0],
        secret=True,
        normal=str,
    )
    yield Text(
        "repeat",
        _("Once more"),
        second,
        lambda text: _typed(text, first, "repeat", text),
        _problem(first, second)[1],
        secret=True,
        normal=str,
    )
    yield Text(
        "mailto",
        _("Mail address"),
        view.text_at("global", "mailto"),
        lambda text: (view.set(("global", "mailto"), text.strip()),),
        view.problem("global", "mailto"),
    )
    known: list[str] = view.at(*KEYS) or []
    if known:
        yield Many(
            "keys",
            _("SSH keys"),
            tuple(known),
            tuple(Option(key, _key_label(key)) for key in known),
            lambda values: (view.set(KEYS, list(values)),),
        )
    yield from _key_fields(view, known)


def _key_fields(view: View, known: list[str]) -> Iterator[Field]:
    typed = view.memory.get("key", "").strip()
    is_key = bool(SSH_KEY.search(typed))
    is_source = typed[:3] in ("gh:", "gl:")
    problem = "" if not typed or is_key or is_source else _("this does not look like an SSH key")
    if is_source and not _online(view):
        is_source, problem = False, _("the machine is not online: no link has a gateway")
    reply = view.replies.get("import-keys")
    yield Text(
        "key",
        _("Add an SSH key"),
        view.memory.get("key", ""),
        lambda text: (Remember("key", text),),
        problem or (reply.error if reply and is_source else ""),
    )
    if is_key:
        added = view.set(KEYS, list(dict.fromkeys([*known, typed])))
        yield Button("add", _("Add this key"), (added, Remember("key", "")))
    if is_source:
        yield Button("import", _("Fetch the keys"), (ImportKeys(source=typed),))


def _online(view: View) -> bool:
    """Whether DHCP has given a way to other networks."""
    return any(lease.gateway for lease in (view.inventory.leases if view.inventory else ()))


def _key_label(key: str) -> str:
    kind, _blank, rest = key.partition(" ")
    data, _blank, comment = rest.partition(" ")
    return f"{kind} ...{data[-SHOWN_KEY:]} {comment}".strip()


def _typed(text: str, other: str, name: str, value: str) -> Effects:
    """The password is set as soon as both fields agree."""
    remembered = Remember(name, value)
    if text == other and len(text) >= MINIMUM_PASSWORD and text.isprintable():
        return (remembered, SetPassword.model_validate({"password": text}))
    return (remembered,)


def _problem(first: str, second: str) -> tuple[str, str]:
    if first and len(first) < MINIMUM_PASSWORD:
        missing = MINIMUM_PASSWORD - len(first)
        return _("{missing} more characters are needed").format(missing=missing), ""
    if first != second and (second or first):
        return "", _("the two are not the same")
    return "", ""


def _blocked(view: View) -> str:
    first, second = view.memory.get("password", ""), view.memory.get("repeat", "")
    wrong = [text for text in _problem(first, second) if text]
    is_set = view.at("global", "root-password-hashed") or view.at("global", "root-password")
    if not wrong and not is_set:
        return _("root needs a password")
    return (wrong or [view.problem("global", "mailto")])[0]
