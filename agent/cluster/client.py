"""The joining node's side of the conversation with members.

The authority is checked against the token before anything is sent. Each call is one pass over
all known members; what may pass by itself is `Retry`, what only a person can solve is
`WaitForOperator`.
"""

from __future__ import annotations

import datetime
import email.utils
import http.client
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from pydantic import ValidationError
from requests.adapters import HTTPAdapter

from agent.cluster import authority
from agent.cluster.enrolment.messages import MAXIMUM_BYTES, Answer, Message
from agent.cluster.folder import Folder
from agent.core.errors import SlipwayError
from agent.step import Retry, WaitForOperator

CONNECT_SECONDS = 5.0
# An add takes up to two minutes, and others may be waiting before it.
ANSWER_SECONDS = 420.0
# Seconds: the first question whether a silent member still lives, the next ones, and their number.
KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)
# Pacemaker and certificates both need clocks that agree; certificates are back-dated one hour.
CLOCK_DIFFERENCE = datetime.timedelta(minutes=5)
# OpenSSL's verification errors X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED.
DATE_ERRORS = (9, 10)
REFUSED = (400, 401, 403, 404, 409, 413)


class _NotHere(Exception):
    """This member cannot be used; the reason is for a person."""


class _KeptAlive(HTTPAdapter):
    """Notices within half a minute that a member has died, however long its answer may take."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        alive = options | {"socket_options": KEEP_ALIVE}
        super().init_poolmanager(*args, **alive)  # type: ignore[no-untyped-call]


class NoQuorum(Retry):
    """The cluster waits for more of its nodes, perhaps for this one."""


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass
class Members:
    """The members that a node may ask. addresses: HOST:PORT; fingerprint: of the authority."""

    addresses: Sequence[str]
    fingerprint: str
    folder: Folder
    now: Callable[[], datetime.datetime] = field(default=_now)

    def ask(self, path: str, message: Message, *, identified: bool = False) -> Answer:
        """Send a message to the first member that can answer it.

        identified: show the node's certificate. Raises Retry with what each member said, NoQuorum
        when it is that; WaitForOperator when one of them refuses for good.
        """
        waiting = list(self.addresses)
        asked: list[str] = []
        reasons: list[str] = []
        quorate = True
        while waiting:
            address = waiting.pop(0)
            asked.append(address)
            try:
                answer = self._ask_one(address, path, message, identified)
            except _NotHere as error:
                reasons.append(f"{address}: {error}")
                continue
            if answer.status == 200:
                return answer
            reasons.append(f"{address}: {answer.error}")
            quorate = quorate and answer.quorate
            if answer.status in REFUSED:
                raise WaitForOperator(f"{address} refuses: {answer.error}", hint=_hint(answer))
            if answer.leader and answer.leader not in asked:
                waiting = [answer.leader, *(a for a in waiting if a != answer.leader)]
        raise Retry("; ".join(reasons)) if quorate else NoQuorum("; ".join(reasons))

    def _ask_one(self, address: str, path: str, message: Message, identified: bool) -> Answer:
        self._check_authority(address)
        own = (str(self.folder.certificate), str(self.folder.key)) if identified else None
        try:
            with requests.Session() as session:
                session.mount("https://", _KeptAlive())
                response = session.post(
                    f"https://{address}{path}",
                    data=message.model_dump_json(),
                    headers={"Content-Type": "application/json", "Connection": "close"},
                    verify=str(self.folder.authority),
                    cert=own,
                    timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                )
        except OSError as error:
            raise _NotHere(_tls_reason(error, self.now())) from error
        try:
            return Answer.model_validate({**response.json(), "status": response.status_code})
        except (ValueError, TypeError, ValidationError) as error:
            raise _NotHere(f"it answered {response.status_code} in a way unknown here") from error

    def _check_authority(self, address: str) -> None:
        """Keep the authority's certificate when it is the one of the token."""
        text, date = fetch_authority(address)
        try:
            found = authority.load_certificate(text)
        except SlipwayError as error:
            raise _NotHere("it is not a member: it shows no certificate of a cluster") from error
        if authority.fingerprint(found) != self.fingerprint:
            raise _NotHere("it is of another cluster than the token; nothing was sent to it")
        if date and abs(date - self.now()) > CLOCK_DIFFERENCE:
            raise _NotHere(f"the clock of this node is {difference(self.now() - date)}")
        if self.folder.read(self.folder.authority) != authority.pem(found):
            self.folder.write(self.folder.authority, authority.pem(found), secret=False)


def fetch_authority(address: str) -> tuple[str, datetime.datetime | None]:
    """What a member says is its authority, and what time it has. Nothing is verified here.

    Raises _NotHere.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPSConnection(
        host.strip("[]"), int(port), context=context, timeout=CONNECT_SECONDS
    )
    try:
        connection.request("GET", "/v1/ca", headers={"Connection": "close"})
        response = connection.getresponse()
        text = response.read(MAXIMUM_BYTES).decode("ascii", errors="replace")
        if response.status != http.client.OK:
            raise _NotHere(f"it answered {response.status}")
        return text, _date(response.getheader("Date"))
    except (OSError, http.client.HTTPException) as error:
        raise _NotHere(str(error) or type(error).__name__) from error
    finally:
        connection.close()


def difference(span: datetime.timedelta) -> str:
    """In words: "25 hours slow", "3 days fast"."""
    minutes = abs(span) // datetime.timedelta(minutes=1)
    size, unit = minutes, "minutes"
    for length, name in ((2 * 1440, "days"), (2 * 60, "hours")):
        if minutes >= length:
            size, unit = minutes // (length // 2), name
            break
    direction = "fast" if span > datetime.timedelta() else "slow"
    return f"{size} {unit} {direction}"


def _date(text: str | None) -> datetime.datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _tls_reason(error: OSError, now: datetime.datetime) -> str:
    cause: BaseException | None = error
    seen: list[BaseException] = []
    while cause is not None and cause not in seen:
        seen.append(cause)
        if isinstance(cause, ssl.SSLCertVerificationError):
            if cause.verify_code in DATE_ERRORS:
                return (
                    f"{cause.verify_message}: it is {now:%Y-%m-%d %H:%M} UTC here; a clock is wrong"
                )
            return f"its certificate is not good: {cause.verify_message}"
        inner = [a for a in cause.args if isinstance(a, BaseException)]
        reason = getattr(cause, "reason", None)
        inner += [reason] if isinstance(reason, BaseException) else []
        cause = inner[0] if inner else cause.__cause__ or cause.__context__
    return str(seen[-1]) or type(error).__name__


def _hint(answer: Answer) -> str:
    if answer.status == 403:
        return (
            "the token is unknown, expired, revoked or was used by another machine, or is for "
            "another name; make a new one on a member: slipway token create"
        )
    if answer.status == 409:
        return (
            "choose another name or address; or, for a machine that was installed anew, make a "
            "token on a member with: slipway token create --node NAME --replace"
        )
    return "both sides may have different versions of Slipway"
