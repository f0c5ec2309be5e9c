"""Where an answer file may be, in which order: decided from the kernel's command line, and from
what the ISO was prepared for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from agent.core.errors import SlipwayError
from installer.web_server import Server

DEFAULT_LABEL = "SLIPWAY"
FILE_NAME = "answer.toml"
MEDIUM = Path("/run/live/medium/slipway") / FILE_NAME
PREFIX = "slipway.answer"
PARAMETERS = (
    PREFIX,
    f"{PREFIX}-label",
    f"{PREFIX}-fingerprint",
    f"{PREFIX}-sha256",
    f"{PREFIX}-token",
    f"{PREFIX}-insecure",
    f"{PREFIX}-timeout",
)


class SourceError(SlipwayError):
    """A place that should have an answer file does not deliver it."""


@dataclass(frozen=True)
class Request:
    """What the kernel's command line says about the answer file, by the parameters' names.

    The digests are lower-case hexadecimal, or empty. sha256 holds for any answer file.
    """

    url: str = ""
    label: str = ""
    fingerprint: str = ""
    sha256: str = ""
    token: SecretStr | None = None
    insecure: bool = False
    timeout: str = ""


class Preparation(BaseModel):
    """Where the ISO was prepared to look. The fingerprint and the token belong to the url."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    url: str = ""
    fingerprint: str = ""
    token: SecretStr | None = None
    label: str = ""


@dataclass(frozen=True)
class Web(Server):
    """An answer server. insecure: plain HTTP is fine for what it is told and what it answers."""

    fingerprint_key: str = f"{PREFIX}-fingerprint"
    insecure: bool = False


@dataclass(frozen=True)
class LocalFile:
    """A file of the live system. Only a `required` one must be there."""

    path: Path
    required: bool = False

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class Volume:
    """A file system with a label."""

    label: str

    def __str__(self) -> str:
        return f"a volume labelled {self.label}"


@dataclass(frozen=True)
class Dhcp:
    """The options 250 (address) and 251 (fingerprint) of a DHCP lease."""

    def __str__(self) -> str:
        return "DHCP option 250"


@dataclass(frozen=True)
class Dns:
    """TXT records in the machine's search domains."""

    def __str__(self) -> str:
        return "DNS TXT records"


Place = Web | LocalFile | Volume | Dhcp | Dns


def parse_command_line(text: str) -> Request:
    """Read the parameters slipway.answer and slipway.answer-*; the last of each counts.

    Raises SourceError for one that is not known and for what is not a digest.
    """
    given: dict[str, str] = {}
    for word in text.replace('"', "").split():
        name, _, value = word.partition("=")
        if name in PARAMETERS:
            given[name.removeprefix(PREFIX)] = value
        elif name.startswith(PREFIX):
            raise SourceError(
                f"{name} is not a known parameter",
                where="kernel command line",
                hint=f"Known are {', '.join(PARAMETERS)}.",
            )
    return Request(
        url=given.get("", ""),
        label=given.get("-label", ""),
        fingerprint=_digest(given.get("-fingerprint", ""), "fingerprint"),
        sha256=_digest(given.get("-sha256", ""), "sha256"),
        token=SecretStr(given["-token"]) if "-token" in given else None,
        insecure="-insecure" in given,
        timeout=given.get("-timeout", ""),
    )


def places(request: Request, prepared: Preparation = Preparation()) -> tuple[Place, ...]:
    """The places to look at, in this order; the first that has an answer file is used.

    An address on the command line is the only place; after it counts the one that the ISO was
    prepared with, unless the command line names a volume that is there. Raises SourceError when
    an address cannot be one.
    """
    if request.url.startswith("file://"):
        path = Path(unquote(request.url.removeprefix("file://")))
        return (LocalFile(path, required=True),)
    if request.url:
        return (web_place(request.url, request, request.fingerprint, request.token),)
    if prepared.url:
        fingerprint = request.fingerprint or prepared.fingerprint
        server = web_place(prepared.url, request, fingerprint, request.token or prepared.token)
        return (Volume(request.label), server) if request.label else (server,)
    volume = Volume(request.label or prepared.label or DEFAULT_LABEL)
    return volume, LocalFile(MEDIUM), Dhcp(), Dns()


def web_place(url: str, request: Request, fingerprint: str, token: SecretStr | None = None) -> Web:
    """The HTTP server with this address, if the request allows to trust it.

    The digest and the opt-in to plain HTTP come from the request, whoever named the address; a
    token only goes where the person who gave it said. Raises SourceError.
    """
    if not _is_web_address(url):
        raise SourceError(
            "the address of the answer file must be https://HOST/…, http://HOST/… or file:///…",
            hint="Give a secret with slipway.answer-token, not in the address.",
        )
    if token and not re.fullmatch(r"[!-~]+", token.get_secret_value()):
        raise SourceError("the token has characters that no token has")
    place = Web(
        url,
        fingerprint=_digest(fingerprint, "fingerprint"),
        token=token,
        insecure=request.insecure,
    )
    if urlsplit(url).scheme == "http":
        _check_plain(place, pinned=bool(request.sha256))
    return place


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    whole = parts.scheme in ("http", "https") and bool(parts.hostname)
    return whole and "@" not in parts.netloc and re.fullmatch(r"[!-~]+", url) is not None


def _check_plain(place: Web, pinned: bool) -> None:
    if place.fingerprint:
        raise SourceError("a fingerprint needs https", where=str(place))
    if place.token and not place.insecure:
        raise SourceError(
            "a token is not sent over plain HTTP",
            where=str(place),
            hint="Use https, or add slipway.answer-insecure to send it in the clear.",
        )
    if not pinned and not place.insecure:
        raise SourceError(
            "an answer file over plain HTTP can be changed on its way",
            where=str(place),
            hint="Use https, give slipway.answer-sha256=DIGEST, or add slipway.answer-insecure.",
        )


def _digest(text: str, name: str) -> str:
    digest = text.replace(":", "").lower()
    if digest and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise SourceError(
            "a SHA-256 digest has 64 hexadecimal digits", where=f"slipway.answer-{name}"
        )
    return digest
