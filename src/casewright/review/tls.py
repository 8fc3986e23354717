"""The certificate by which another machine's browser knows the room: one that was given, or one made here.

One made here is signed by nobody else (X.509, RFC 5280; ECDSA over P-256). Its fingerprint is printed, to be compared
with what the browser shows; it lies beside the seal key, for its owner only, and is made anew when it runs out.
"""

import datetime
import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from casewright.model.errors import Missing
from casewright.vault.disk import write_secret

DAYS = 365


@dataclass(frozen=True)
class Certificate:
    """Files in PEM; both may be one."""

    certificate: Path
    key: Path

    def fingerprint(self) -> str:
        """SHA-256 over the certificate, as browsers show it. Raises Missing when the files are none."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
            first = x509.load_pem_x509_certificates(self.certificate.read_bytes())[0]
        except (OSError, ValueError, ssl.SSLError) as error:
            raise Missing(f"{self.certificate} and {self.key} are no certificate and its key: {error}.") from error
        digest = hashlib.sha256(first.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
        return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def made(folder: Path, name: str) -> Certificate:
    """The certificate for this name or address that lies in the folder; a new one when none still holds."""
    file = folder / f"review-{hashlib.sha256(name.encode()).hexdigest()[:12]}.pem"
    if not _holds(file):
        _make(file, name)
    return Certificate(file, file)


def _holds(file: Path) -> bool:
    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return found.not_valid_after_utc > datetime.datetime.now(datetime.UTC)


def _make(file: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Casewright review room")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(whose).issuer_name(whose).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_called(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                               serialization.NoEncryption())  # fmt: skip
    file.unlink(missing_ok=True)  # one that holds no more
    write_secret(file, made.public_bytes(serialization.Encoding.PEM) + secret)


def _called(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
