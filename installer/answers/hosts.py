"""Other machines, by address or name, as they are written in an answer file."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from installer.answers.addresses import check_domain, parse_address
from installer.answers.table import refuse


def _host(value: str) -> str:
    for check in (parse_address, check_domain):
        try:
            check(value)
            return value
        except ValueError:
            continue
    raise refuse('an IP address or a name, like "192.0.2.1" or "server.example.com"')


Host = Annotated[str, AfterValidator(_host)]
