"""The door in the archive account through which CloudFront of one stage delivers its access logs."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs

from constructs import Construct


class CdnLogDestination(Construct):
    """Lets ``source_account``, and no other, deliver standard logs (v2) into ``bucket_name``, as JSON lines.

    Belongs in us-east-1 of the bucket's account; the bucket may be elsewhere.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/vended-logs-crossaccount-example.html
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, bucket_name: str, source_account: str
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        sources, destinations = (
            f"arn:aws:logs:{stack.region}:{account}" for account in (source_account, stack.account)
        )
        self.resource = logs.CfnDeliveryDestination(
            self,
            "Resource",
            name=name,
            destination_resource_arn=f"arn:aws:s3:::{bucket_name}",
            output_format="json",
            delivery_destination_policy=logs.CfnDeliveryDestination.DestinationPolicyProperty(
                delivery_destination_name=name,
                delivery_destination_policy={
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "DeliveriesFromOneAccount",
                            "Effect": "Allow",
                            "Principal": {"AWS": f"arn:aws:iam::{source_account}:root"},
                            "Action": "logs:CreateDelivery",
                            "Resource": [
                                f"{sources}:delivery-source:*",
                                f"{sources}:delivery:*",
                                f"{destinations}:delivery-destination:{name}",
                            ],
                        }
                    ],
                },
            ),
        )
