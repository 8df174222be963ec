"""Lets API Gateway of this account and region write logs."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam

from constructs import Construct
from palisade.acknowledge import acknowledge


class ApiLogging(Construct):
    """The account's one API Gateway setting: the role that writes access and execution logs. One per account and region.

    API Gateway refuses a role whose policy grants less than AWS's own policy for the purpose.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            description="API Gateway writes its logs",
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
        apigateway.CfnAccount(self, "Resource", cloud_watch_role_arn=role.role_arn)
        acknowledge(
            role,
            "API Gateway checks this role when it is set and accepts none that grants less than AWS's policy.",
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]",
        )
