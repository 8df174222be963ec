"""What CloudFormation returns for a resource: its name, its ARN, what ``Ref`` gives; per type, from the reference pages.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html (return values) and
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html (ARNs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Identity:
    """How resources of one type are named: the property that names them, their ARN's form, and what ``Ref`` returns."""

    name: str = ""
    """The property that holds the physical name; empty if AWS always invents it."""
    arn: str = ""
    """The ARN with ``{name}``, ``{region}``, ``{account}``; empty if it is not made of these."""
    ref: str = "name"
    """``name`` (or the id that AWS invents), ``arn`` or ``url``."""


_P = "arn:aws:"

IDENTITIES: Mapping[str, Identity] = {
    "AWS::ApiGateway::RestApi": Identity(arn=_P + "apigateway:{region}::/restapis/{name}"),
    "AWS::AutoScaling::AutoScalingGroup": Identity(name="AutoScalingGroupName"),
    "AWS::Backup::BackupVault": Identity(
        name="BackupVaultName", arn=_P + "backup:{region}:{account}:backup-vault:{name}"
    ),
    "AWS::CertificateManager::Certificate": Identity(arn=_P + "acm:{region}:{account}:certificate/{name}", ref="arn"),
    "AWS::CloudFront::Distribution": Identity(arn=_P + "cloudfront::{account}:distribution/{name}"),
    "AWS::CloudTrail::Trail": Identity(name="TrailName", arn=_P + "cloudtrail:{region}:{account}:trail/{name}"),
    "AWS::CloudWatch::Alarm": Identity(name="AlarmName", arn=_P + "cloudwatch:{region}:{account}:alarm:{name}"),
    "AWS::CloudWatch::CompositeAlarm": Identity(
        name="AlarmName", arn=_P + "cloudwatch:{region}:{account}:alarm:{name}"
    ),
    "AWS::CodeBuild::Project": Identity(name="Name", arn=_P + "codebuild:{region}:{account}:project/{name}"),
    "AWS::Cognito::UserPool": Identity(arn=_P + "cognito-idp:{region}:{account}:userpool/{name}"),
    "AWS::DynamoDB::GlobalTable": Identity(name="TableName", arn=_P + "dynamodb:{region}:{account}:table/{name}"),
    "AWS::DynamoDB::Table": Identity(name="TableName", arn=_P + "dynamodb:{region}:{account}:table/{name}"),
    "AWS::EC2::Volume": Identity(arn=_P + "ec2:{region}:{account}:volume/{name}"),
    "AWS::ECR::Repository": Identity(name="RepositoryName", arn=_P + "ecr:{region}:{account}:repository/{name}"),
    "AWS::ECS::Cluster": Identity(name="ClusterName", arn=_P + "ecs:{region}:{account}:cluster/{name}"),
    "AWS::ECS::TaskDefinition": Identity(arn=_P + "ecs:{region}:{account}:task-definition/{name}", ref="arn"),
    "AWS::EFS::FileSystem": Identity(arn=_P + "elasticfilesystem:{region}:{account}:file-system/{name}"),
    "AWS::EKS::Cluster": Identity(name="Name", arn=_P + "eks:{region}:{account}:cluster/{name}"),
    "AWS::ElasticLoadBalancingV2::Listener": Identity(
        arn=_P + "elasticloadbalancing:{region}:{account}:listener/{name}", ref="arn"
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Identity(
        arn=_P + "elasticloadbalancing:{region}:{account}:loadbalancer/{name}", ref="arn"
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Identity(
        arn=_P + "elasticloadbalancing:{region}:{account}:targetgroup/{name}", ref="arn"
    ),
    "AWS::Events::EventBus": Identity(name="Name", arn=_P + "events:{region}:{account}:event-bus/{name}"),
    "AWS::Events::Rule": Identity(name="Name", arn=_P + "events:{region}:{account}:rule/{name}"),
    "AWS::IAM::InstanceProfile": Identity(
        name="InstanceProfileName", arn=_P + "iam::{account}:instance-profile/{name}"
    ),
    "AWS::IAM::ManagedPolicy": Identity(
        name="ManagedPolicyName", arn=_P + "iam::{account}:policy{path}{name}", ref="arn"
    ),
    "AWS::IAM::OIDCProvider": Identity(arn=_P + "iam::{account}:oidc-provider/{name}", ref="arn"),
    "AWS::IAM::Role": Identity(name="RoleName", arn=_P + "iam::{account}:role{path}{name}"),
    "AWS::IAM::User": Identity(name="UserName", arn=_P + "iam::{account}:user{path}{name}"),
    "AWS::KMS::Alias": Identity(name="AliasName", arn=_P + "kms:{region}:{account}:{name}"),
    "AWS::KMS::Key": Identity(arn=_P + "kms:{region}:{account}:key/{name}"),
    "AWS::KMS::ReplicaKey": Identity(arn=_P + "kms:{region}:{account}:key/{name}"),
    "AWS::Kinesis::Stream": Identity(name="Name", arn=_P + "kinesis:{region}:{account}:stream/{name}"),
    "AWS::KinesisFirehose::DeliveryStream": Identity(
        name="DeliveryStreamName", arn=_P + "firehose:{region}:{account}:deliverystream/{name}"
    ),
    "AWS::Lambda::Function": Identity(name="FunctionName", arn=_P + "lambda:{region}:{account}:function:{name}"),
    "AWS::Lambda::LayerVersion": Identity(arn=_P + "lambda:{region}:{account}:layer:{name}", ref="arn"),
    "AWS::Logs::LogGroup": Identity(name="LogGroupName", arn=_P + "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::NetworkFirewall::Firewall": Identity(
        name="FirewallName", arn=_P + "network-firewall:{region}:{account}:firewall/{name}", ref="arn"
    ),
    "AWS::RDS::DBCluster": Identity(name="DBClusterIdentifier", arn=_P + "rds:{region}:{account}:cluster:{name}"),
    "AWS::RDS::DBClusterParameterGroup": Identity(name="DBClusterParameterGroupName"),
    "AWS::RDS::DBInstance": Identity(name="DBInstanceIdentifier", arn=_P + "rds:{region}:{account}:db:{name}"),
    "AWS::RDS::DBParameterGroup": Identity(name="DBParameterGroupName"),
    "AWS::RDS::DBProxy": Identity(name="DBProxyName"),
    "AWS::RDS::DBSubnetGroup": Identity(name="DBSubnetGroupName"),
    "AWS::S3::Bucket": Identity(name="BucketName", arn=_P + "s3:::{name}"),
    "AWS::SNS::Topic": Identity(name="TopicName", arn=_P + "sns:{region}:{account}:{name}", ref="arn"),
    "AWS::SQS::Queue": Identity(name="QueueName", arn=_P + "sqs:{region}:{account}:{name}", ref="url"),
    "AWS::SSM::Document": Identity(name="Name", arn=_P + "ssm:{region}:{account}:document/{name}"),
    "AWS::SSM::Parameter": Identity(name="Name", arn=_P + "ssm:{region}:{account}:parameter/{name}"),
    "AWS::SecretsManager::Secret": Identity(
        name="Name", arn=_P + "secretsmanager:{region}:{account}:secret:{name}", ref="arn"
    ),
    "AWS::StepFunctions::StateMachine": Identity(
        name="StateMachineName", arn=_P + "states:{region}:{account}:stateMachine:{name}", ref="arn"
    ),
    "AWS::Synthetics::Canary": Identity(name="Name", arn=_P + "synthetics:{region}:{account}:canary:{name}"),
    "AWS::WAFv2::WebACL": Identity(name="Name", arn=_P + "wafv2:{region}:{account}:webacl/{name}"),
}

ARN_ATTRIBUTES = frozenset(
    {"Arn", "TopicArn", "BackupVaultArn", "LoadBalancerArn", "TargetGroupArn", "ListenerArn", "FirewallArn", "ARN"}
)
"""Attributes that return the resource's own ARN."""

ID_ATTRIBUTES = frozenset(
    {
        "GroupId",
        "KeyId",
        "VpcId",
        "SubnetId",
        "RouteTableId",
        "NetworkAclId",
        "NatGatewayId",
        "InternetGatewayId",
        "VpcEndpointId",
        "FileSystemId",
        "InstanceId",
        "VolumeId",
        "LaunchTemplateId",
        "TransitGatewayId",
        "Id",
    }
)
"""Attributes that return what ``Ref`` returns, an id that AWS invents."""

SINGLE_NAMES = frozenset({"QueueName", "TopicName", "TableName", "RoleName", "FunctionName", "BackupVaultName"})
"""Attributes that return the resource's name."""

ENGINE_PORTS: Mapping[str, int] = {
    "postgres": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "sqlserver": 1433,
    "oracle": 1521,
    "docdb": 27017,
    "neptune": 8182,
}
"""The port that a database instance listens on if its template names none, by a part of its engine's name.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"""
