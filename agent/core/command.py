"""The only place that starts programs: a typed `run` over `sh`.

sh's defaults suit a person at a terminal, not a program: output to a pseudo terminal, error
text cut at its start, strict decoding, an open standard input. They are set right here once, and
a lint rule keeps `import sh` out of every other file.
"""

from __future__ import annotations

import logging
import os
import shlex
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sh

from agent.core.errors import CommandFailed, CommandTimeout, ToolMissing

log = logging.getLogger(__name__)
# sh logs what it writes to a program's standard input: secrets, here.
logging.getLogger("sh").setLevel(logging.WARNING)

Argument = str | Path
# Tools see this environment and nothing else; messages are in English, so that they can be read.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "DEBIAN_FRONTEND": "noninteractive",
}
# How much of a failed tool's last words an error carries.
ERROR_CHARACTERS = 2000
ERROR_LINES = 40
# See the module's docstring; 64 KiB reads make capturing as fast as subprocess does it.
QUIRKS: dict[str, object] = {
    "_tty_out": False,
    "_truncate_exc": False,
    "_decode_errors": "replace",
    "_return_cmd": True,
    "_out_bufsize": 65536,
}


@dataclass(frozen=True)
class Result:
    """What a tool answered. `status` is its exit status, output is decoded as UTF-8."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[Argument],
    *,
    check: bool = True,
    input: str | bytes | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Result:
    """Run one program to its end.

    argv: the program and its arguments; never a shell string. Secrets go through `input`,
        which is not logged, because arguments are seen by every user of the machine.
    check: raise CommandFailed unless the status is 0.
    env: added to the clean environment that every tool gets.
    timeout: seconds after which the program is killed and CommandTimeout raised.
    on_line: called with each line of standard output and standard error as it comes; standard
        output is then not kept in the result.
    Raises ToolMissing, CommandFailed, CommandTimeout.
    """
    words = tuple(os.fspath(word) for word in argv)
    log.debug("run: %s", shlex.join(words))
    tail: deque[str] = deque(maxlen=ERROR_LINES)

    def hear(line: str) -> None:
        tail.append(line)
        if on_line:
            on_line(line.rstrip("\n"))

    listening: dict[str, object] = {"_out": hear, "_err": hear, "_out_bufsize": 1}
    with open(os.devnull, "rb") as nothing:
        try:
            done = sh.Command(words[0])(
                *words[1:],
                _in=nothing if input is None else input,
                _env={**ENVIRONMENT, **(env or {})},
                _cwd=os.fspath(cwd) if cwd else None,
                _timeout=timeout,
                **(QUIRKS | listening if on_line else QUIRKS),
            )
        except sh.CommandNotFound as error:
            raise ToolMissing(words[0]) from error
        except sh.TimeoutException as error:
            raise CommandTimeout(words, timeout or 0) from error
        except sh.ErrorReturnCode as error:
            done = error
    result = Result(words, done.exit_code, _text(done.stdout), _text(done.stderr))
    if check and result.status != 0:
        said = "".join(tail) if on_line else (result.stderr.strip() or result.stdout)
        raise CommandFailed(words, result.status, said.strip()[-ERROR_CHARACTERS:])
    return result


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
