"""Where the files of a stage's site lie: in the home region, readable by the stage's own distributions alone."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from palisade.storage import BackupClass, PrivateBucket

from constructs import Construct
from stacks.access_logs import AccessLogs
from stacks.base import StageStack
from stacks.keys import Keys
from stacks.settings import Deployment, Stage


class Site(StageStack):
    """A private bucket that CloudFront reads with signed requests.

    The distribution lives in another region and AWS invents its id, so that the policies name the account's distributions.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    """

    def __init__(
        self, scope: Construct, *, deployment: Deployment, stage: Stage, keys: Keys, access_logs: AccessLogs
    ) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="site", stateful=True)
        name = self.names.site_bucket(stage)
        self.bucket = PrivateBucket(
            self,
            "Files",
            name=name,
            key=keys.data.key,
            access_logs=access_logs.bucket,
            # A commit can make the files again.
            backup=BackupClass.ARCHIVED,
        ).bucket
        distributions = {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudfront::{stage.account}:distribution/*"}}
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="DistributionsOfThisAccountRead",
                principals=[iam.ServicePrincipal("cloudfront.amazonaws.com")],
                actions=["s3:GetObject"],
                resources=[self.bucket.arn_for_objects("*")],
                conditions=distributions,
            )
        )
        keys.data.allow_service(
            "cloudfront.amazonaws.com",
            sid="DistributionsOfThisAccountReadTheSite",
            actions=("kms:Decrypt",),
            conditions={
                **distributions,
                # With a bucket key, S3 names the bucket as context: the key opens the site and no other bucket.
                "StringEquals": {"kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{name}"},
            },
        )
