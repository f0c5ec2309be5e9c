"""Site files for tests."""

from __future__ import annotations

from pathlib import Path

from image.serve.load_site import LoadedSite, load_site
from tests.serve.process import ANSWER

SERVER = '[server]\naddress = "192.0.2.1"\napprove = "{approve}"\n'


def site(
    folder: Path, more: str = "", approve: str = "on-sight", answer: str = ANSWER
) -> LoadedSite:
    """A site with these tables beside [server] and [answer]."""
    path = folder / "site.toml"
    path.write_text(SERVER.format(approve=approve) + answer + more)
    return load_site(path)
