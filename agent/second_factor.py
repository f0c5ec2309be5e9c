"""Second factors: a secret for each account, which its authenticator app and PAM share."""

from __future__ import annotations

import pwd
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from agent.core.command import run
from agent.core.errors import SlipwayError

# Where PAM looks, see config-templates/package/usr/share/pam-configs.
FOLDER = Path("/var/lib/slipway/second-factor")
ISSUER = "Slipway"
# A code is good once, and for a minute and a half; three tries in half a minute.
SETTINGS = (
    "--time-based",
    "--disallow-reuse",
    "--minimal-window",
    "--rate-limit=3",
    "--rate-time=30",
)


@dataclass(frozen=True)
class Enrolment:
    """What a person needs. uri: otpauth://, for the app; codes: each signs in once without it."""

    uri: str
    codes: tuple[str, ...]


def enrol(user: str, node: str, folder: Path = FOLDER) -> Enrolment:
    """Give an account a second factor. node: its full name, shown by the app.

    Raises SlipwayError when the node does not know the account, or it has one, CommandFailed.
    """
    try:
        # An Active Directory knows it in any case of letters, PAM as it is written here.
        user = pwd.getpwnam(user).pw_name
    except KeyError:
        raise SlipwayError(f"the node knows no account {user}") from None
    secret = folder / user
    if secret.exists():
        raise SlipwayError(
            f"{user} has a second factor", hint=f"take it away first: slipway sign-in remove {user}"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    quiet = ["--quiet", "--force", "--no-confirm", f"--secret={secret}"]
    run(["google-authenticator", *SETTINGS, *quiet])
    key, *lines = secret.read_text().splitlines()
    label = quote(f"{ISSUER}:{user}@{node}", safe=":@")
    uri = f"otpauth://totp/{label}?{urlencode({'secret': key, 'issuer': ISSUER})}"
    return Enrolment(uri, tuple(line for line in lines if line.isdigit()))


def remove(user: str, folder: Path = FOLDER) -> None:
    """Take the second factor of an account away. Raises SlipwayError when it has none."""
    enrolled = [path for path in folder.glob("*") if path.name == user]
    if not enrolled:
        raise SlipwayError(f"{user} has no second factor on this node")
    enrolled[0].unlink()


def qr_code(text: str) -> str:
    """The text as a QR code for a terminal. Raises ToolMissing, CommandFailed."""
    return run(["qrencode", "--type=ANSIUTF8", "--output=-"], input=text).stdout
