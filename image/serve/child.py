"""Programs that the server starts and that live no longer than it does: nginx and dnsmasq."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.core.command import Argument, run
from agent.core.errors import CommandFailed, SlipwayError

log = logging.getLogger(__name__)


class Child:
    """A program that runs until the server ends, however that happens.

    The kernel kills it when the thread that started it is gone, a signal that setpriv asks for. It
    is the first process of a PID namespace, with which its own children end: an nginx that was
    killed by itself would leave workers behind that hold the ports.
    """

    def __init__(
        self,
        argv: Sequence[Argument],
        ended: Callable[[SlipwayError], None],
        privileges: Sequence[str] = (),
    ) -> None:
        """ended: told why, when the program ends by itself, which it should not; privileges:
        setpriv's words for those it has.
        """
        self._argv = argv
        self._privileges = privileges
        self._ended = ended
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        name = Path(self._argv[0]).name
        # unshare ignores SIGTERM; a change of the user takes the wish for the signal back.
        bound = ("setpriv", "--pdeathsig", "KILL")
        namespace = ("unshare", "--pid", "--fork", "--")
        argv = [*bound, "--", *namespace, *bound, *self._privileges, "--", *self._argv]
        try:
            run(argv, on_line=lambda line: log.info("%s: %s", name, line))
            error = SlipwayError("ended by itself", where=name)
        except CommandFailed as failed:
            error = SlipwayError(f"{name} ended", hint=failed.output or None)
        except SlipwayError as failed:
            error = failed
        self._ended(error)


def as_user(user: str, capabilities: Sequence[str]) -> list[str]:
    """setpriv's words for a program that runs as this user, with these capabilities alone."""
    words = ",".join(f"+{name}" for name in capabilities)
    return [
        *("--reuid", user, "--regid", "nogroup", "--clear-groups", "--no-new-privs"),
        *("--inh-caps", words, "--ambient-caps", words),
    ]
