"""A session document that forwards a port to the database and to nothing else."""

from __future__ import annotations

from aws_cdk import aws_ssm as ssm

from constructs import Construct


class DatabaseTunnel(Construct):
    """Forwards a local port through the bastion to ``host`` and ``port``, which the caller cannot change.

    Allow people this document instead of ``AWS-StartPortForwardingSessionToRemoteHost``, which goes to any host. The
    tunnel only carries bytes: the database still asks for TLS and for an IAM token of the person.

    Control: access.tunnel.database-only
    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, host: str, port: str) -> None:
        super().__init__(scope, construct_id)
        ssm.CfnDocument(
            self,
            "Resource",
            name=name,
            document_type="Session",
            document_format="JSON",
            update_method="NewVersion",
            content={
                "schemaVersion": "1.0",
                "description": "Forwards a local port to the database",
                "sessionType": "Port",
                "parameters": {
                    "localPortNumber": {
                        "type": "String",
                        "description": "Port on your own machine; 0 picks a free one",
                        "allowedPattern": "^([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}"
                        "|655[0-2][0-9]|6553[0-5])$",
                        "default": "0",
                    }
                },
                "properties": {
                    "type": "LocalPortForwarding",
                    "host": host,
                    "portNumber": port,
                    "localPortNumber": "{{ localPortNumber }}",
                },
            },
        )
