"""[sign-in]: sssd's files, sudo's and sshd's, PAM's profiles, and a password that stays hidden."""

from __future__ import annotations

from configparser import ConfigParser
from typing import Any

import pytest

from agent.core.template import TEMPLATES
from installer.answers.schema import Answer
from installer.plan.model import Plan, PlannedFile, RunInTarget, WriteSecret
from installer.plan.planner import make_plan, secrets_of
from installer.plan.show import action_text
from installer.plan.sign_in import BIND, CA, SSHD, SSSD, SUDOERS, UNIT_LINK
from tests.unit.answers.files import MINIMAL, load
from tests.unit.network.machines import STATIC, nic
from tests.unit.storage.machines import disk, machine

PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
SECRET = "bind geheim"
DIRECTORY: dict[str, Any] = {
    "kind": "ldap",
    "uri": ["ldaps://a.example.com", "ldap://b.example.com"],
    "base": "dc=example,dc=com",
    "viewers": "watchers",
    "operators": ["vm operators", "night shift"],
    "administrators": "Domänen-Admins",
}
BOUND = DIRECTORY | {"bind-dn": "cn=node,dc=example,dc=com", "bind-password": SECRET}


def whole_plan(tables: dict[str, Any]) -> tuple[Plan, Answer]:
    """A plan, and the answer it is from. tables: beside those that an answer must have."""
    answer = load(MINIMAL | {"network": STATIC, **tables}).answer
    inventory = machine(disk("sda")).model_copy(update={"interfaces": (nic(1),)})
    return make_plan(answer, inventory), answer


def planned(**table: Any) -> tuple[dict[str, PlannedFile], list[tuple[str, ...]]]:
    """The files, and the commands, that this table adds to a plan."""
    plain, _ = whole_plan({})
    plan, _ = whole_plan({"sign-in": table})
    assert set(plain.files) <= set(plan.files)
    files = {file.path: file for file in plan.files if file not in plain.files}
    commands = [action.argv for action in plan.actions if isinstance(action, RunInTarget)]
    return files, commands


def sssd(**table: Any) -> dict[str, str]:
    """What sssd.conf says of the directory."""
    parser = ConfigParser(interpolation=None)
    parser.read_string(planned(directory=DIRECTORY | table)[0][SSSD].content)
    return dict(parser["domain/directory"])


def test_who_asks_for_nothing_gets_nothing() -> None:
    assert planned() == ({}, [])


def test_a_directory() -> None:
    files, commands = planned(directory=DIRECTORY)
    assert {path: file.mode for path, file in files.items() if file.content} == {
        SSSD: "0600",
        SUDOERS: "0440",
    }
    assert files[UNIT_LINK].link_target.endswith("/sssd.service")
    assert commands == [("pam-auth-update", "--enable", "sss", "mkhomedir")]
    said = sssd()
    assert said["ldap_uri"] == "ldaps://a.example.com, ldap://b.example.com"
    assert said["ldap_id_use_start_tls"] == "true"
    assert said["ldap_tls_reqcert"] == "demand"
    assert said["ldap_tls_cacert"] == "/etc/ssl/certs/ca-certificates.crt"
    groups = "watchers, vm operators, night shift, Domänen-Admins"
    assert said["simple_allow_groups"] == groups
    assert "ldap_default_bind_dn" not in said


@pytest.mark.parametrize(
    ("kind", "schema", "mapped"),
    [
        ("ldap", "rfc2307", False),
        ("ldap-rfc2307bis", "rfc2307bis", False),
        ("ad", "ad", True),
    ],
)
def test_kinds(kind: str, schema: str, mapped: bool) -> None:
    said = sssd(kind=kind)
    assert said["ldap_schema"] == schema
    assert ("ldap_id_mapping" in said) is mapped
    assert ("case_sensitive" in said) is mapped


def test_roles_are_lines_of_sudo() -> None:
    files, _ = planned(directory=DIRECTORY)
    assert files[SUDOERS].content.splitlines()[1:] == [
        '"%watchers" ALL=(root) NOPASSWD: SLIPWAY_LOOK',
        '"%vm operators" ALL=(root) NOPASSWD: SLIPWAY_LOOK, SLIPWAY_OPERATE',
        '"%night shift" ALL=(root) NOPASSWD: SLIPWAY_LOOK, SLIPWAY_OPERATE',
        '"%Domänen-Admins" ALL=(ALL:ALL) ALL',
    ]
    roles = (TEMPLATES / "package/etc/sudoers.d/slipway-roles").read_text()
    assert "Cmnd_Alias SLIPWAY_LOOK" in roles and "Cmnd_Alias SLIPWAY_OPERATE" in roles


def test_authorities_of_its_own() -> None:
    files, _ = planned(directory=DIRECTORY | {"ca": PEM})
    assert files[CA].content == PEM
    assert f"\nldap_tls_cacert = {CA}\n" in files[SSSD].content


def test_the_password_is_in_its_file_and_nowhere_else() -> None:
    plan, answer = whole_plan({"sign-in": {"directory": BOUND}})
    (action,) = (x for x in plan.actions if isinstance(x, WriteSecret))
    assert action.path == BIND
    assert SECRET not in plan.model_dump_json()
    assert not [x for x in plan.actions if SECRET in action_text(x)]
    content = secrets_of(answer)[action.secret].get_secret_value()
    assert content == f"[domain/directory]\nldap_default_authtok = {SECRET}\n"
    assert SECRET not in repr(answer)


def test_a_second_factor() -> None:
    files, commands = planned(**{"second-factor": "totp"})
    assert list(files) == [SSHD]
    assert files[SSHD].content.splitlines()[1:] == [
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication yes",
    ]
    assert commands == [("pam-auth-update", "--enable", "slipway-second-factor")]
    assert (TEMPLATES / "package/usr/share/pam-configs/slipway-second-factor").is_file()


def test_both() -> None:
    _, commands = planned(directory=DIRECTORY, **{"second-factor": "totp"})
    assert commands == [
        ("pam-auth-update", "--enable", "sss", "mkhomedir", "slipway-second-factor")
    ]
