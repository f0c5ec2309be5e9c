"""The cluster's certificate authority: one P-256 key that vouches for every member.

Its certificates serve enrolment, pcsd between members, and live migration. Certificates are
dated back one hour, so that clocks which differ a little do not matter.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.core.errors import SlipwayError

BACK_DATED = datetime.timedelta(hours=1)
AUTHORITY_LIFETIME = datetime.timedelta(days=3650)
NODE_LIFETIME = datetime.timedelta(days=825)
Public = x509.Certificate | x509.CertificateSigningRequest | x509.CertificateRevocationList
# A certificate is renewed when less than a third of its life is left.
RENEWAL_LEFT = NODE_LIFETIME / 3


@dataclass(frozen=True)
class Revoked:
    """A certificate that no longer counts: its serial number, and since when."""

    serial: int
    since: datetime.datetime


@dataclass(frozen=True)
class Authority:
    """The certificate of a cluster's authority and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, cluster: str, now: datetime.datetime) -> Authority:
        """A new authority for the cluster of this name, valid for ten years."""
        key = new_key()
        name = _name(f"{cluster} cluster authority")
        certificate = (
            _builder(name, name, key.public_key(), now, AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(True, 0), critical=True)
            .add_extension(_key_usage(certificates=True), critical=True)
            .add_extension(_key_id(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, pem: str) -> Authority:
        """From text that holds both certificate and key. Raises SlipwayError."""
        key = load_key(pem)
        certificate = load_certificate(pem)
        if certificate.public_key() != key.public_key():
            raise SlipwayError("key and certificate of the cluster's authority do not fit")
        return cls(certificate, key)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate's DER form, hexadecimal."""
        return fingerprint(self.certificate)

    def sign(
        self,
        public_key: ec.EllipticCurvePublicKey,
        name: str,
        addresses: Sequence[str],
        now: datetime.datetime,
    ) -> x509.Certificate:
        """A certificate for a node of this name and these addresses, as server and as client."""
        names = [x509.DNSName(name)]
        numbers = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        issuer = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer.value)
        return (
            _builder(self.certificate.subject, _name(name), public_key, now, NODE_LIFETIME)
            .add_extension(x509.SubjectAlternativeName([*names, *numbers]), critical=False)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(_key_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(_key_id(public_key), critical=False)
            .add_extension(issuer_id, critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def revocation_list(self, revoked: Iterable[Revoked], now: datetime.datetime) -> str:
        """The list of revoked certificates as PEM.

        It is distributed by the cluster itself at every change and so never grows old: it is
        valid as long as the authority. A list that ran out would stop all connections.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - BACK_DATED)
            .next_update(self.certificate.not_valid_after_utc)
        )
        for entry in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(entry.serial)
                .revocation_date(entry.since)
                .build()
            )
        return pem(builder.sign(self.key, hashes.SHA256()))

    def text(self) -> str:
        """Certificate and key as PEM: a secret."""
        return pem(self.certificate) + key_pem(self.key)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def request(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """A certificate signing request as PEM: proof that the sender has the key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(name))
    return pem(builder.sign(key, hashes.SHA256()))


def requested_key(text: str) -> ec.EllipticCurvePublicKey:
    """The key of a signing request whose sender has proven that it is his. Raises SlipwayError."""
    try:
        csr = x509.load_pem_x509_csr(text.encode())
        key = csr.public_key()
        valid = csr.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SlipwayError("the certificate request cannot be read") from error
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1) and valid:
        return key
    raise SlipwayError("the certificate request is not signed by a P-256 key of its own")


def load_certificate(text: str) -> x509.Certificate:
    """The first certificate in PEM text. Raises SlipwayError."""
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise SlipwayError("the certificate cannot be read") from error


def load_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A P-256 key without password, from PEM text. Raises SlipwayError."""
    begin = text.find("-----BEGIN PRIVATE KEY-----")
    try:
        key = serialization.load_pem_private_key(text[max(begin, 0) :].encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SlipwayError("the private key cannot be read") from error
    if not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)):
        raise SlipwayError("the private key is not of the kind P-256")
    return key


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's DER form, hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def key_digest(key: ec.EllipticCurvePublicKey) -> str:
    """SHA-256 of a public key (SubjectPublicKeyInfo, DER), hexadecimal."""
    digest = hashes.Hash(hashes.SHA256())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    digest.update(key.public_bytes(serialization.Encoding.DER, form))
    return digest.finalize().hex()


def revoked_serials(text: str) -> set[int]:
    """The serial numbers on a revocation list (PEM); none for no text. Raises SlipwayError."""
    if not text:
        return set()
    try:
        return {entry.serial_number for entry in x509.load_pem_x509_crl(text.encode())}
    except ValueError as error:
        raise SlipwayError("the list of revoked certificates cannot be read") from error


def check_issued(certificate: x509.Certificate, by: x509.Certificate) -> None:
    """Raise SlipwayError unless the authority `by` has signed the certificate."""
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise SlipwayError("the certificate is not of this cluster's authority") from error


def node_name(certificate: x509.Certificate) -> str:
    """The node a certificate is for."""
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def public_pem(key: ec.EllipticCurvePublicKey) -> str:
    """A public key (SubjectPublicKeyInfo) as PEM text."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def pem_digest(public: str) -> str:
    """The same digest as key_digest, of a public key in PEM, which is not looked into."""
    body = "".join(public.strip().splitlines()[1:-1])
    return hashlib.sha256(base64.b64decode(body)).hexdigest()


def node_addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """The addresses of the node that a certificate is for, in the order of its links."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(address) for address in names.get_values_for_type(x509.IPAddress))


def renewal_due(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    """Whether it is time for a new certificate."""
    return certificate.not_valid_after_utc - now < RENEWAL_LEFT


def pem(item: Public) -> str:
    """The item as PEM text."""
    return item.public_bytes(serialization.Encoding.PEM).decode()


def pem_of_der(der: bytes) -> str:
    """A certificate as TLS gives it, as PEM text."""
    return pem(x509.load_der_x509_certificate(der))


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """A private key as PEM text without password: a secret."""
    form = serialization.PrivateFormat.PKCS8
    nothing = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, nothing).decode()


def _builder(
    issuer: x509.Name,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime.datetime,
    lifetime: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACK_DATED)
        .not_valid_after(now + lifetime)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _key_id(key: ec.EllipticCurvePublicKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key)


def _key_usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        # libvirt wants it of every certificate, also where no key is enciphered.
        key_encipherment=not certificates,
        data_encipherment=False,
        key_agreement=not certificates,
        encipher_only=False,
        decipher_only=False,
    )
