"""Keys, bundles and revocations, for whoever publishes models. Nothing of it is needed to use one.

    python -m models.training.bundle key publisher.vkkey --name "Example Lab"
    python -m models.training.bundle pack models/weights/screen.json --key publisher.vkkey
    python -m models.training.bundle pack models/weights/screen.json --unsigned
    python -m models.training.bundle revoke 1 --key publisher.vkkey --model screen 1.2.0 --reason Bad

`key` writes the private key, encrypted with a passphrase, and beside it the public one (.pub) that wearers pin. Keep
the private key off every machine that is on a network, and out of the repository: a folder of one is refused.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from models.bundle import MINIMUM_PROGRAM, SUFFIX, bundle_of
from models.errors import ModelError, TrustError
from models.publishers import Publisher, key_line, read_key
from models.revocation import SUFFIX as REVOKED
from models.revocation import RevokedModel, revocations_file, revocations_text
from models.signature import MANIFEST, REVOCATIONS, Signature, spaced
from models.training.clock import utc_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LEAST_PASSPHRASE = 12


def make_key(path: Path, label: str, passphrase: bytes) -> Publisher:
    """Writes `path` (PKCS #8, encrypted, mode 0600) and `path`.pub. Raises TrustError; overwrites nothing."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    if len(passphrase) < LEAST_PASSPHRASE:
        raise TrustError(f"a passphrase of {len(passphrase)} bytes, {LEAST_PASSPHRASE} or more expected")
    for folder in path.absolute().resolve().parents:
        if (folder / ".git").exists():
            raise TrustError(f"{path}: inside the repository {folder}, a place outside of any expected")
    private = Ed25519PrivateKey.generate()
    publisher = read_key(key_line(Publisher(private.public_key().public_bytes_raw(), label)), str(path))
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    with path.with_name(path.name + ".pub").open("x", encoding="utf-8") as file:
        file.write(key_line(publisher))
    return publisher


def load_key(path: Path, passphrase: bytes) -> Ed25519PrivateKey:
    """Raises TrustError where it does not open with this passphrase, or is another kind of key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), passphrase)
    except (ValueError, TypeError):
        raise TrustError(f"{path}: does not open with this passphrase, or is no private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise TrustError(f"{path}: {type(key).__name__}, an Ed25519 key expected")
    return key


def signed(key: Ed25519PrivateKey, purpose: bytes, message: bytes) -> Signature:
    return Signature(key.public_key().public_bytes_raw(), key.sign(purpose + message))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    of_key = argparse.ArgumentParser(add_help=False)
    of_key.add_argument("--passphrase-file", type=Path, metavar="FILE", help="its first line; asked for otherwise")
    one = steps.add_parser("key", parents=[of_key], help="make a key")
    one.add_argument("file", type=Path)
    one.add_argument("--name", required=True, help="what wearers will see")
    one = steps.add_parser("pack", parents=[of_key], help="make a bundle")
    one.add_argument("card", type=Path)
    one.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    one.add_argument("--minimum-program", default=MINIMUM_PROGRAM, metavar="VERSION")
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument("--key", type=Path, metavar="FILE")
    which.add_argument("--unsigned", action="store_true")
    one = steps.add_parser("revoke", parents=[of_key], help="take models, or the key itself, back")
    one.add_argument("sequence", type=int, help="higher than in every list before")
    one.add_argument("--key", type=Path, metavar="FILE", required=True)
    one.add_argument("--model", nargs=2, action="append", default=[], metavar=("NAME", "VERSION|SHA256"))
    one.add_argument("--key-itself", action="store_true")
    one.add_argument("--reason", required=True)
    one.add_argument("--out", type=Path, default=Path(), metavar="FOLDER")
    asked = parser.parse_args()
    try:
        _do(asked)
    except (ModelError, OSError) as problem:
        sys.exit(f"bundle: {problem}")


def _do(asked: argparse.Namespace) -> None:
    if asked.step == "key":
        publisher = make_key(asked.file, asked.name, _passphrase(asked.passphrase_file, twice=True))
        print(f"{asked.file}, {asked.file}.pub: {spaced(publisher.fingerprint)}")
    elif asked.step == "pack":
        bundle = bundle_of(asked.card, utc_text(), asked.minimum_program)
        signature = None
        if asked.key is not None:
            signature = signed(load_key(asked.key, _passphrase(asked.passphrase_file)), MANIFEST, bundle.signed)
        path = asked.out / f"{bundle.name}-{bundle.version}{SUFFIX}"
        path.write_bytes(bundle.packed(signature))
        print(f"{path}: {path.stat().st_size} bytes")
    else:
        key = load_key(asked.key, _passphrase(asked.passphrase_file))
        models = [
            RevokedModel(name, None, word, asked.reason, "")
            if len(word) == 64
            else RevokedModel(name, word, None, asked.reason, "")
            for name, word in asked.model
        ]
        text = revocations_text(asked.sequence, asked.reason if asked.key_itself else None, models)
        path = asked.out / f"revocations-{asked.sequence}{REVOKED}"
        path.write_bytes(revocations_file(text, signed(key, REVOCATIONS, text.encode("utf-8"))))
        print(path)


def _passphrase(path: Path | None, twice: bool = False) -> bytes:
    if path is not None:
        return path.read_bytes().split(b"\n")[0]
    word = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Again: ") != word:
        raise TrustError("two different passphrases, the same one twice expected")
    return word.encode("utf-8")


if __name__ == "__main__":
    main()
