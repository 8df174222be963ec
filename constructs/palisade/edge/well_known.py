"""What clients and researchers look for below ``/.well-known/``, answered at the edge."""

from __future__ import annotations

import json

from aws_cdk import aws_cloudfront as cloudfront

from constructs import Construct

ROOT_KEYS = {
    "Amazon Root CA 1": "++MBgDH5WGvL9Bcn5Be30cRcL0f5O+NyoXuWtQdX1aI=",
    "Amazon Root CA 2": "f0KW/FtqTjs108NpYj42SrGvOB2PpxIVM8nWxjPqJGE=",
    "Amazon Root CA 3": "NqvDJlas/GRcYbcWE8S/IceH9cq77kg0jVhZeAPXq8k=",
    "Amazon Root CA 4": "9+ze1cZgR9KO1kZrVDxA4HQ6voHRCSVNz4RdTCx4U8U=",
    "Starfield Services Root Certificate Authority - G2": "KwccWaCgrnaw6tsrrSO61FgLacNgG2MMLq8GE6+oP5I=",
}
"""SHA-256 of the public keys that every Amazon-issued certificate leads up to. A client that pins does so to all of them:
a certificate's own key changes with each renewal, and a root may be replaced by another.
https://docs.aws.amazon.com/acm/latest/userguide/acm-bestpractices.html#best-practices-pinning
https://www.amazontrust.com/repository/"""

_CODE = """\
const DOCUMENTS = %(documents)s;

function handler(event) {
    if (!Object.prototype.hasOwnProperty.call(DOCUMENTS, event.request.uri)) {
        return event.request;
    }
    const found = DOCUMENTS[event.request.uri];
    // RFC 9116 asks for a date at most a year ahead.
    const expires = new Date(Date.now() + 180 * 86400000).toISOString();
    return {
        statusCode: 200,
        statusDescription: 'OK',
        headers: {
            'content-type': { value: found.type },
            'cache-control': { value: 'public, max-age=3600' },
            'strict-transport-security': { value: 'max-age=63072000; includeSubDomains; preload' },
            'x-content-type-options': { value: 'nosniff' }
        },
        body: found.text.replace('{expires}', expires)
    };
}
"""


class WellKnown(Construct):
    """Answers ``security.txt`` and ``certificate-pins.json``; any other path goes on to the origin.

    ``mailbox`` is where a finder of a weakness writes to; ``pinned_hosts`` are the names the pins hold for.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/writing-function-code.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, host: str, mailbox: str, pinned_hosts: list[str]
    ) -> None:
        super().__init__(scope, construct_id)
        security = "/.well-known/security.txt"
        documents = {
            security: {
                "type": "text/plain; charset=utf-8",
                "text": f"Contact: mailto:{mailbox}\nExpires: {{expires}}\nPreferred-Languages: en\n"
                f"Canonical: https://{host}{security}\n",
            },
            "/.well-known/certificate-pins.json": {
                "type": "application/json",
                "text": json.dumps({"hosts": pinned_hosts, "algorithm": "sha256-spki", "pins": ROOT_KEYS}),
            },
        }
        self.function = cloudfront.Function(
            self,
            "Resource",
            function_name=name,
            comment="Documents below /.well-known/",
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            code=cloudfront.FunctionCode.from_inline(_CODE % {"documents": json.dumps(documents)}),
        )
