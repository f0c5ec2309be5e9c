"""Planning [sign-in]: sssd's files, what the directory's groups may do, and PAM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import SecretStr

from agent.core.template import render
from installer.answers.sign_in import Directory, SignIn
from installer.plan.model import PlannedFile, RunInTarget, WriteSecret

SSSD = "/etc/sssd/sssd.conf"
# AppArmor lets sssd read what is in this folder; of it sssd takes in what ends in .conf.
BIND = "/etc/sssd/conf.d/bind.conf"
CA = "/etc/sssd/conf.d/directory-ca.pem"
SUDOERS = "/etc/sudoers.d/slipway-directory"
SSHD = "/etc/ssh/sshd_config.d/slipway-second-factor.conf"
UNIT = "/usr/lib/systemd/system/sssd.service"
UNIT_LINK = "/etc/systemd/system/multi-user.target.wants/sssd.service"
BIND_SECRET = "directory bind"


def sign_in_files(sign_in: SignIn) -> Iterator[PlannedFile]:
    """The files, without the password that the node binds with."""
    if sign_in.directory:
        yield from _directory_files(sign_in.directory)
    if sign_in.second_factor == "totp":
        yield PlannedFile(path=SSHD, content=render(f"node{SSHD}"))


def _directory_files(directory: Directory) -> Iterator[PlannedFile]:
    content = render(f"node{SSSD}", directory=directory, ca=CA)
    yield PlannedFile(path=SSSD, content=content, mode="0600")
    if directory.ca:
        yield PlannedFile(path=CA, content=directory.ca)
    content = render(f"node{SUDOERS}", directory=directory)
    yield PlannedFile(path=SUDOERS, content=content, mode="0440")
    yield PlannedFile(path=UNIT_LINK, link_target=UNIT)


def sign_in_secrets(sign_in: SignIn) -> Mapping[str, SecretStr]:
    """The text of the file with the password, by the name that its WriteSecret action uses."""
    if sign_in.directory is None or sign_in.directory.bind_password is None:
        return {}
    password = sign_in.directory.bind_password.get_secret_value()
    return {BIND_SECRET: SecretStr(render(f"node{BIND}", password=password))}


def sign_in_secret_files(sign_in: SignIn) -> Iterator[WriteSecret]:
    """The action that puts it where sssd finds it."""
    for name in sign_in_secrets(sign_in):
        yield WriteSecret(path=BIND, secret=name)


def sign_in_commands(sign_in: SignIn) -> Iterator[RunInTarget]:
    """What makes PAM ask the directory, and for a code; nothing where nothing is asked for."""
    profiles = ["sss", "mkhomedir"] if sign_in.directory else []
    profiles += ["slipway-second-factor"] if sign_in.second_factor == "totp" else []
    if profiles:
        yield RunInTarget(argv=("pam-auth-update", "--enable", *profiles))
