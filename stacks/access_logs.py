"""Where a stage's own buckets log their requests."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3
from palisade.archive import Destination, LandingBucket, keeps_access_logs, writer

from constructs import Construct
from stacks.base import StageStack
from stacks.log_archive import LogArchiveStage
from stacks.names import ACCESS_LOG_REPLICATOR, Log
from stacks.settings import Deployment, Stage


class AccessLogs(StageStack):
    """The landing bucket of S3 server access logs, which S3 delivers only within the account; replicated into the archive.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
    """

    def __init__(self, scope: Construct, *, deployment: Deployment, stage: Stage, archive: LogArchiveStage) -> None:
        super().__init__(scope, deployment=deployment, stage=stage, subject="access-logs", stateful=True)
        landing = LandingBucket(
            self,
            "Landing",
            name=self.names.landing_bucket(stage.name, Log.ACCESS),
            key=None,
            destination=Destination(
                bucket_name=self.names.archive_bucket(stage.name, Log.ACCESS),
                account=deployment.accounts.log_archive,
            ),
            requests_to=None,
            role_name=self.names.role(ACCESS_LOG_REPLICATOR),
        )
        landing.accept(
            writer.server_access_logs(account=stage.account, source_buckets=f"arn:aws:s3:::{self.names.prefix}-*")
        )
        keeps_access_logs(landing.resource, landing.name)
        self.bucket: s3.IBucket = landing.bucket
        # S3 refuses a replication rule whose destination does not exist.
        self.add_stack_dependency(archive)
