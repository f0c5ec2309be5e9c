"""Taking something along: the choices as an answer file, the log; to a stick, a server, a phone."""

from __future__ import annotations

from collections.abc import Iterator

from installer.answers.places import FILE_NAME
from installer.session.protocol import AnswerFile, SendLog, Sticks
from installer.ui.page import Button, Drawing, Field, Go, Page, Remember, Text
from installer.ui.qr import qr_lines
from installer.ui.text import _
from installer.ui.view import View

HOME = Go("")
# Lines around the picture: title, way back, status, keys.
AROUND = 4


def save_page(view: View) -> Page:
    return Page(
        "save",
        _("Answer file"),
        help=_(
            "The answer file holds all choices, with a hash of the password. On a stick whose "
            "file system has the label SLIPWAY it is found by itself when a machine starts from "
            "the installation medium, and that machine is installed without questions: change the "
            "name and the address in it first."
        ),
        lines=tuple(_said(view, "answer-file", _("Saved as {name}.").format(name=FILE_NAME))),
        fields=tuple(_save_fields(view)),
        back=(HOME,),
    )


def _save_fields(view: View) -> Iterator[Field]:
    for device in _sticks(view):
        label = _("Save to the stick {device}").format(device=device)
        yield Button(device, label, (AnswerFile(device=device),))
    yield Button("sticks", _("Look for USB sticks"), (Sticks(),))
    yield Button("text", _("Show the text"), (AnswerFile(),))
    if text := _text(view):
        yield Button("qr", _("Show as a QR code"), (Go("qr"),))
        yield Drawing("answer", tuple(text.splitlines()), long=True)
    yield Button("back", _("Back"), (HOME,))


def qr_page(view: View) -> Page:
    # Without comments the picture fits a screen of 160x50, as a virtual terminal often has.
    content = [line for line in _text(view).splitlines() if line and not line.startswith("#")]
    lines = qr_lines("\n".join(content), ascii=view.ascii)
    wide, high = max(map(len, lines), default=0), len(lines)
    fits = wide <= view.width and high + AROUND <= view.height
    said = _("This terminal has {width}x{height} characters, the code needs {wide}x{high}.").format(
        width=view.width, height=view.height, wide=wide, high=high + AROUND
    )
    return Page(
        "qr",
        _("Answer file"),
        help=_("A telephone reads the answer file from the picture. Enlarge the terminal for it."),
        lines=() if fits else (said,),
        fields=(Drawing("qr", tuple(lines)),) if fits else (),
        back=(Go("save"),),
    )


def log_page(view: View) -> Page:
    url = view.memory.get("log-url", "")
    fields: list[Field] = [
        Button(
            device,
            _("Save to the stick {device}").format(device=device),
            (SendLog(device=device),),
        )
        for device in _sticks(view)
    ]
    fields += [
        Button("sticks", _("Look for USB sticks"), (Sticks(),)),
        Text("url", _("Web address"), url, lambda text: (Remember("log-url", text.strip()),)),
        Button("send", _("Send to this address"), (SendLog(url=url),)),
        Button("back", _("Back"), (HOME,)),
    ]
    return Page(
        "send-log",
        _("Send the log"),
        help=_(
            "The log goes to a stick, or as JSON with the field log to a web server (POST). "
            "Passwords of the choices are not in it."
        ),
        lines=tuple(_said(view, "send-log", _("The log was sent."))),
        fields=tuple(fields),
        back=(HOME,),
    )


def _sticks(view: View) -> list[str]:
    reply = view.replies.get("sticks")
    return list(reply.result.get("sticks", ())) if reply else []


def _text(view: View) -> str:
    reply = view.replies.get("answer-file")
    return str(reply.result.get("text", "")) if reply else ""


def _said(view: View, command: str, success: str) -> Iterator[str]:
    reply = view.replies.get(command)
    if reply:
        yield reply.error or success
    sticks = view.replies.get("sticks")
    if sticks and not _sticks(view):
        yield _("No USB stick with a file system was found.")
