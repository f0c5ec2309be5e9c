"""An LDAP directory: a real slapd, with people and groups, that only speaks TLS to who binds."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.core.command import run
from tests.lab.wait import until

BASE = "dc=example,dc=org"
BIND_DN, BIND_PASSWORD = f"cn=node,{BASE}", "geheim of the node"
PORT = 636
CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCertificateFile {folder}/ca.pem
TLSCertificateKeyFile {folder}/key.pem
disallow bind_anon
require bind
database mdb
maxsize 10485760
directory {folder}/db
suffix {base}
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""
TOP = """\
dn: {base}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {bind_dn}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: node
userPassword: {bind_password}

dn: cn=everybody,{base}
objectClass: posixGroup
cn: everybody
gidNumber: 5000
"""
PERSON = """\
dn: uid={name},{base}
objectClass: account
objectClass: posixAccount
cn: {name}
uid: {name}
uidNumber: {number}
gidNumber: 5000
homeDirectory: /home/{name}
userPassword: {password}
"""
GROUP = """\
dn: cn={name},{base}
objectClass: posixGroup
cn: {name}
gidNumber: {number}
memberUid: {member}
"""


def password_of(name: str) -> str:
    """What a person of the directory signs in with."""
    return f"geheim of {name}"


def entries(members: Mapping[str, str]) -> str:
    """The directory's LDIF. members: of each group the one member."""
    found = [TOP.format(base=BASE, bind_dn=BIND_DN, bind_password=BIND_PASSWORD)]
    for number, (group, name) in enumerate(members.items(), 5001):
        password = password_of(name)
        found.append(PERSON.format(name=name, base=BASE, number=number, password=password))
        found.append(GROUP.format(name=group, base=BASE, number=number + 1000, member=name))
    return "\n".join(found)


@dataclass
class Directory:
    """A directory at this address. folder: its files."""

    address: str
    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Where it answers."""
        return f"ldaps://{self.address}:{PORT}"

    @property
    def ca(self) -> str:
        """Its certificate, in PEM."""
        return (self.folder / "ca.pem").read_text()

    def fill(self, members: Mapping[str, str]) -> None:
        """Make certificate, configuration and entries."""
        (self.folder / "db").mkdir()
        pair = ["-keyout", f"{self.folder}/key.pem", "-out", f"{self.folder}/ca.pem"]
        name = ["-subj", "/CN=ldap", "-addext", f"subjectAltName=IP:{self.address}"]
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *pair, *name])
        text = CONFIGURATION.format(folder=self.folder, base=BASE)
        (self.folder / "slapd.conf").write_text(text)
        run(["slapadd", "-f", self.folder / "slapd.conf"], input=entries(members))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        argv = ["slapd", "-f", str(self.folder / "slapd.conf"), "-h", self.uri, "-d", "0"]
        self._process = subprocess.Popen(argv)
        until(self._answers, 30, "slapd to answer", where=self.uri)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
            self._process = None

    def _answers(self) -> bool | None:
        assert self._process is not None and self._process.poll() is None, "slapd has ended"
        try:
            socket.create_connection((self.address, PORT), timeout=1).close()
        except OSError:
            return None
        return True


@contextmanager
def directory(address: str, folder: Path, members: Mapping[str, str]) -> Iterator[Directory]:
    """A directory, while the context lasts. members: of each group the one member."""
    made = Directory(address, folder)
    made.fill(members)
    made.start()
    try:
        yield made
    finally:
        made.stop()
