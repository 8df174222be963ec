"""Where people ask the archive questions: a database, and a workgroup whose settings nobody bypasses."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from constructs import Construct
from palisade.archive.log_table import LogTable
from palisade.archive.named_query import NamedQuery

MOST_BYTES_SCANNED = 20 * 1024**3
"""A query that reads more is cancelled: 20 GiB cost about 10 US cents, and a partition was forgotten.
https://docs.aws.amazon.com/athena/latest/ug/workgroups-setting-control-limits-cloudwatch.html"""


class QueryRoom(Construct):
    """A Glue database over the archive and an Athena workgroup whose settings bind every query.

    Results are encrypted with ``key`` in ``results``, belong to this account, and a query that scans more than
    :data:`MOST_BYTES_SCANNED` is cancelled.

    Control: archive.queries.workgroup

    https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, key: kms.IKey, results: s3.IBucket) -> None:
        super().__init__(scope, construct_id)
        self.database_name = name.replace("-", "_")
        self._account = cdk.Stack.of(self).account
        self.database = glue.CfnDatabase(
            self,
            "Resource",
            catalog_id=self._account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.database_name, description="Logs in the archive"
            ),
        )
        self.workgroup_name = name
        self.workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=name,
            description="Questions to the log archive",
            state="ENABLED",
            recursive_delete_option=False,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=MOST_BYTES_SCANNED,
                requester_pays_enabled=False,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{results.bucket_name}/",
                    expected_bucket_owner=self._account,
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )

    def add_table(self, table: LogTable, queries: Sequence[NamedQuery]) -> None:
        """Put ``table`` into the database and ``queries`` about it into the workgroup."""
        construct_id = "".join(part.capitalize() for part in table.name.split("_"))
        resource = glue.CfnTable(
            self,
            f"{construct_id}Table",
            catalog_id=self._account,
            database_name=self.database_name,
            table_input=glue.CfnTable.TableInputProperty(
                name=table.name,
                description=table.description,
                table_type="EXTERNAL_TABLE",
                parameters={"EXTERNAL": "TRUE", **table.all_parameters},
                partition_keys=[
                    glue.CfnTable.ColumnProperty(name=partition.name, type="string") for partition in table.partitions
                ],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=table.location,
                    input_format=table.input_format,
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    columns=[
                        glue.CfnTable.ColumnProperty(name=column.name, type=column.type) for column in table.columns
                    ],
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library=table.serde, parameters=dict(table.serde_parameters)
                    ),
                ),
            ),
        )
        resource.add_resource_dependency(self.database)
        for number, query in enumerate(queries, start=1):
            athena.CfnNamedQuery(
                self,
                f"{construct_id}Query{number}",
                name=query.name,
                description=query.description,
                database=self.database_name,
                work_group=self.workgroup_name,
                query_string=query.sql,
            ).add_resource_dependency(self.workgroup)
