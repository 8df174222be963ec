"""Tables over the archive, and ready questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import aws_s3 as s3
from palisade.archive import LogReader, QueryRoom, log_table, named_query
from palisade.archive.log_table import LogTable
from palisade.archive.named_query import NamedQuery
from palisade.keys import CustomerKey
from palisade.storage import BackupClass, PrivateBucket

from constructs import Construct
from stacks.base import PalisadeStack
from stacks.log_archive import LOG_ARCHIVE, LogArchiveOrganization, retention_days
from stacks.names import ORGANIZATION, Log
from stacks.settings import Deployment, Egress, Stage

RESULTS_DAYS = 30

_REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
"""Regions that every account has without asking; a trail records there even if nothing should happen there.
https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html"""


class LogArchiveAnalysis(PalisadeStack):
    """One database and workgroup for all logs; a table for each log of each owner."""

    def __init__(self, scope: Construct, *, deployment: Deployment, organization: LogArchiveOrganization) -> None:
        super().__init__(
            scope,
            deployment=deployment,
            owner=LOG_ARCHIVE,
            subject="analysis",
            account=deployment.accounts.log_archive,
            stateful=True,
        )
        # Its landing bucket receives the server access logs of the results.
        self.add_stack_dependency(organization)
        key = CustomerKey(
            self,
            "Key",
            alias=self.names.key_alias("log-queries"),
            description="results of queries to the log archive",
            used_through=["s3"],
        )
        results = PrivateBucket(
            self,
            "Results",
            name=self.names.bucket("log-queries", deployment.accounts.log_archive, self.names.home),
            key=key.key,
            access_logs=s3.Bucket.from_bucket_name(
                self, "AccessLogs", self.names.landing_bucket(ORGANIZATION, Log.ACCESS)
            ),
            backup=BackupClass.ARCHIVED,
            expire_days=RESULTS_DAYS,
            noncurrent_days=1,
        )
        room = QueryRoom(self, "Room", name=f"{self.names.prefix}-logs", key=key.key, results=results.bucket)
        owned: list[tuple[str, Log]] = []
        for owner, log, table, queries in self._tables():
            room.add_table(table, queries)
            owned.append((owner, log))
        readable = {*owned, *((ORGANIZATION, log) for log in (Log.ACCESS, Log.CONFIG, Log.DECISION))}
        readable |= {
            (stage.name, log) for stage in deployment.stages for log in (Log.ACCESS, Log.DECISION, Log.SESSION)
        }
        LogReader(
            self,
            "Reader",
            name=self.names.log_reader,
            room=room,
            buckets=sorted(self.names.archive_bucket(owner, log) for owner, log in readable),
            key_aliases=self.names.archive_key_alias(""),
            results=results.bucket,
            results_key=key.key,
        )

    def _tables(self) -> Iterator[tuple[str, Log, LogTable, list[NamedQuery]]]:
        deployment = self.deployment
        organization = deployment.organization
        if organization is not None:
            table = self._trail("trail", ORGANIZATION, f"{organization.id}/", deployment.account_ids)
            yield ORGANIZATION, Log.TRAIL, table, named_query.trail_queries(table.name)
        if deployment.chat is not None:
            table = log_table.waf_table(
                name="waf_chat",
                bucket=self.names.archive_bucket(ORGANIZATION, Log.WAF),
                account=deployment.accounts.security,
                scope=self.names.home,
                acl=self.names.chat_web_acl,
                days=retention_days(deployment, Log.WAF),
            )
            yield ORGANIZATION, Log.WAF, table, named_query.waf_queries(table.name)
        for stage in deployment.stages:
            if organization is None:
                table = self._trail(f"trail_{stage.name}", stage.name, "", [stage.account])
                yield stage.name, Log.TRAIL, table, named_query.trail_queries(table.name)
            for log, table, queries in self._of_stage(stage):
                yield stage.name, log, table, queries

    def _trail(self, name: str, owner: str, below: str, accounts: Sequence[str]) -> LogTable:
        deployment = self.deployment
        return log_table.trail_table(
            name=name,
            bucket=self.names.archive_bucket(owner, Log.TRAIL),
            below=below,
            accounts=accounts,
            regions=sorted({*_REGIONS, deployment.home.name, deployment.recovery.name}),
            days=retention_days(deployment, Log.TRAIL),
        )

    def _of_stage(self, stage: Stage) -> Iterator[tuple[Log, LogTable, list[NamedQuery]]]:
        name, account, home = stage.name, stage.account, self.names.home

        def bucket(log: Log) -> str:
            return self.names.archive_bucket(name, log)

        def days(log: Log) -> int:
            return retention_days(self.deployment, log)

        table = log_table.flow_table(
            name=f"flow_{name}", bucket=bucket(Log.FLOW), account=account, region=home, days=days(Log.FLOW)
        )
        yield Log.FLOW, table, named_query.flow_queries(table.name)
        for edge, scope, label in ((False, home, "waf"), (True, "cloudfront", "waf_edge")):
            table = log_table.waf_table(
                name=f"{label}_{name}",
                bucket=bucket(Log.WAF),
                account=account,
                scope=scope,
                acl=self.names.web_acl(stage, edge=edge),
                days=days(Log.WAF),
            )
            yield Log.WAF, table, named_query.waf_queries(table.name)
        requests, connections = log_table.balancer_tables(
            suffix=name, bucket=bucket(Log.BALANCER), account=account, region=home, days=days(Log.BALANCER)
        )
        yield Log.BALANCER, requests, named_query.balancer_queries(requests.name)
        yield Log.BALANCER, connections, named_query.connection_queries(connections.name)
        table = log_table.resolver_table(name=f"resolver_{name}", bucket=bucket(Log.RESOLVER), account=account)
        yield Log.RESOLVER, table, named_query.resolver_queries(table.name)
        table = log_table.cdn_table(name=f"cdn_{name}", bucket=bucket(Log.CDN), account=account, days=days(Log.CDN))
        yield Log.CDN, table, named_query.cdn_queries(table.name)
        table = log_table.audit_table(
            name=f"audit_{name}", bucket=bucket(Log.AUDIT), account=account, days=days(Log.AUDIT)
        )
        yield Log.AUDIT, table, named_query.audit_queries(table.name)
        if stage.shape.egress is Egress.NETWORK_FIREWALL:
            table = log_table.firewall_table(name=f"firewall_{name}", bucket=bucket(Log.FIREWALL), account=account)
            yield Log.FIREWALL, table, named_query.firewall_queries(table.name)
