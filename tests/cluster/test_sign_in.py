"""Sign-in on one node: accounts of a real directory, and codes, over SSH and in Cockpit.

What the installer would write is written, and its commands are run, on a node that runs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from agent.core.command import run
from agent.second_factor import FOLDER
from installer.answers.sign_in import SignIn
from installer.execute.files import write_files, write_secret
from installer.plan.sign_in import (
    sign_in_commands,
    sign_in_files,
    sign_in_secret_files,
    sign_in_secrets,
)
from tests.cluster.directory import BASE, BIND_DN, BIND_PASSWORD, Directory, directory, password_of
from tests.cluster.laboratory import Laboratory
from tests.cluster.node import Node
from tests.cluster.person import PASSWORD, add_account, cable, open_page
from tests.cluster.test_roles import FORBIDDEN, LOOK, OPERATE, may

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

# Number of this machine at the nodes' switch, see `cable`.
OWN_NUMBER = 254
MEMBERS = {"vm operators": "anna", "watchers": "bert", "admins": "carl", "people": "dora"}
ASKPASS = """\
#!/bin/sh
case $1 in *ode:*) cat {folder}/code ;; *) cat {folder}/password ;; esac
"""


@pytest.fixture(scope="module")
def people(lab: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    address = lab.switch.address(OWN_NUMBER, 0)
    with (
        cable(lab.switch),
        directory(address, tmp_path_factory.mktemp("slapd"), MEMBERS) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def node(lab: Laboratory, people: Directory) -> Node:
    made = lab.machine(1)
    for service in ("auth", "account", "password", "session"):
        text = (made.root / f"etc/pam.d/common-{service}").read_text()
        assert "pam_sss" not in text and "pam_google" not in text and "pwquality" not in text
    made.run(["ssh-keygen", "-A"])
    open_page(made)
    add_account(made, "local", "users")
    table: dict[str, Any] = {
        "kind": "ldap",
        "uri": people.uri,
        "base": BASE,
        "bind-dn": BIND_DN,
        "bind-password": BIND_PASSWORD,
        "ca": people.ca,
        "operators": "vm operators",
        "viewers": "watchers",
        "administrators": "admins",
    }
    ask(made, SignIn.model_validate({"second-factor": "totp", "directory": table}))
    return made


def ask(node: Node, sign_in: SignIn) -> None:
    """Do on a node that runs what its installation would have done."""
    write_files(sign_in_files(sign_in), node.root)
    for secret in sign_in_secret_files(sign_in):
        content = sign_in_secrets(sign_in)[secret.secret].get_secret_value()
        write_secret(content, secret.path, node.root)
    for command in sign_in_commands(sign_in):
        node.run(command.argv)
    node.run(["systemctl", "daemon-reload"])
    node.run(["systemctl", "start", "sssd.service"])
    node.run(["systemctl", "restart", "ssh.service"])


def enrol(node: Node, user: str) -> tuple[str, tuple[str, ...]]:
    """The secret, and the codes that are good once, as the command shows them."""
    shown = node.run(["slipway", "sign-in", "enrol", user]).stdout
    assert "▄" in shown or "█" in shown
    (uri,) = (line for line in shown.splitlines() if line.startswith("otpauth://"))
    codes = tuple(line.strip() for line in shown.splitlines() if line.strip().isdigit())
    assert len(codes) == 5
    return uri.partition("secret=")[2].partition("&")[0], codes


def code(secret: str) -> str:
    """The code that an app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, int(time.time() // 30).to_bytes(8), hashlib.sha1)
    place = digest[-1] & 15
    number = int.from_bytes(digest[place : place + 4]) & 0x7FFFFFFF
    return f"{number % 10**6:06}"


@pytest.fixture
def ssh(node: Node, tmp_path: Path) -> Any:
    """Whether a person gets in over SSH with a password and, when asked for one, a code."""
    helper = tmp_path / "askpass"
    helper.write_text(ASKPASS.format(folder=tmp_path))
    helper.chmod(0o700)

    def sign_in(user: str, password: str, code: str = "") -> bool:
        (tmp_path / "password").write_text(f"{password}\n")
        (tmp_path / "code").write_text(f"{code}\n")
        unknown = ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"]
        once = ["-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no"]
        asking = {"SSH_ASKPASS": str(helper), "SSH_ASKPASS_REQUIRE": "force"}
        argv = ["ssh", *unknown, *once, f"{user}@{node.addresses[0]}", "id", "--user", "--name"]
        done = run(argv, check=False, env=asking, timeout=120)
        assert done.status in (0, 255), done.stderr
        return done.status == 0 and done.stdout.strip() == user

    return sign_in


def cockpit(node: Node, user: str, password: str, code: str = "") -> bool:
    """The same in Cockpit, as its sign-in page does it."""
    url = f"https://{node.addresses[0]}:9090/cockpit/login"
    with warnings.catch_warnings(), requests.Session() as session:
        # The node's certificate is its own.
        warnings.simplefilter("ignore")
        session.verify = False
        answer = session.get(url, auth=(user, password), timeout=120)
        asked = answer.headers.get("WWW-Authenticate", "").split()
        if answer.status_code == 401 and asked[:1] == ["X-Conversation"]:
            said = base64.b64encode(code.encode()).decode()
            again = {"Authorization": f"X-Conversation {asked[1]} {said}"}
            answer = session.get(url, headers=again, timeout=120)
    return answer.status_code == 200


def test_people_of_the_directory_have_the_roles_of_their_groups(node: Node) -> None:
    assert node.run(["visudo", "--check"]).status == 0
    assert may(node, "anna", LOOK + OPERATE + FORBIDDEN) == {*LOOK, *OPERATE}
    assert may(node, "bert", LOOK + OPERATE + FORBIDDEN) == set(LOOK)
    assert may(node, "dora", LOOK + OPERATE + FORBIDDEN) == set()
    sudo = ["runuser", "-u", "carl", "--", "sudo", "--stdin", "id", "--user"]
    assert node.run(sudo, input=f"{password_of('carl')}\n").stdout.strip() == "0"


def test_a_password_and_a_code_sign_in_once(node: Node, ssh: Any) -> None:
    secret, codes = enrol(node, "anna")
    shown = code(secret)
    assert ssh("anna", password_of("anna"), shown)
    assert (node.root / "home/anna").is_dir()
    assert not ssh("anna", password_of("anna"), shown)
    assert cockpit(node, "anna", password_of("anna"), codes[0])


def test_a_password_alone_is_not_enough_for_people_of_the_directory(node: Node, ssh: Any) -> None:
    assert not ssh("bert", password_of("bert"), "123456")
    assert not cockpit(node, "bert", password_of("bert"), "123456")
    enrol(node, "carl")
    assert not ssh("carl", password_of("carl"), "000000")
    assert not cockpit(node, "carl", password_of("carl"), "000000")


def test_a_code_alone_is_not_enough(node: Node, ssh: Any) -> None:
    secret, _ = enrol(node, "bert")
    assert not ssh("bert", "wrong", code(secret))
    assert not cockpit(node, "bert", "wrong", code(secret))
    assert cockpit(node, "bert", password_of("bert"), code(secret))


def test_who_is_in_none_of_the_groups_stays_out(node: Node, ssh: Any) -> None:
    _, codes = enrol(node, "dora")
    assert not ssh("dora", password_of("dora"), codes[0])
    assert not cockpit(node, "dora", password_of("dora"), codes[1])


def test_accounts_of_the_node_need_a_code_once_they_are_enrolled(node: Node, ssh: Any) -> None:
    assert ssh("local", PASSWORD)
    assert cockpit(node, "local", PASSWORD)
    secret, codes = enrol(node, "local")
    assert not ssh("local", PASSWORD)
    assert cockpit(node, "local", PASSWORD, code(secret))
    assert ssh("local", PASSWORD, codes[0])
    node.run(["slipway", "sign-in", "remove", "local"])
    assert ssh("local", PASSWORD)


def test_without_its_directory_a_node_lets_its_own_accounts_in(
    node: Node, people: Directory, ssh: Any
) -> None:
    people.stop()
    try:
        assert ssh("local", PASSWORD)
        assert cockpit(node, "root", PASSWORD)
        assert not cockpit(node, "bert", password_of("bert"), "123456")
        node.run(["systemctl", "stop", "sssd.service"])
        assert ssh("local", PASSWORD)
        assert cockpit(node, "root", PASSWORD)
    finally:
        people.start()
        node.run(["systemctl", "start", "sssd.service"])


def test_secrets_stay_where_they_belong(node: Node) -> None:
    names = node.run(["find", str(FOLDER), "/etc/sssd", "-type", "f", "-perm", "/007"]).stdout
    assert names.split() == ["/etc/sssd/conf.d/directory-ca.pem"]
    told = node.run(["journalctl", "--boot", "--no-pager"]).stdout
    assert "sssd" in told
    assert "geheim" not in told
