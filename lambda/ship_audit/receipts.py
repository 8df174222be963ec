"""Remembers what has been taken: how many events of which object, and before which day nothing is left to send."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

KEPT = timedelta(days=60)
_MARK = {"day": {"S": "all"}, "object": {"S": "first day"}}


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """How many events of an object have been taken, and whether those were all."""

    taken: int = 0
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Receipts:
    """Items of a table with partition key ``day`` and sort key ``object``.

    Losing them loses no event: everything in the archive would be sent once more, under the same ids.
    """

    dynamodb: Any
    table: str

    def first_day(self) -> date | None:
        """The first day of which something may be left to send; None if nothing was ever sent."""
        item = self.dynamodb.get_item(TableName=self.table, Key=_MARK, ConsistentRead=True).get("Item")
        return None if item is None else date.fromisoformat(item["first"]["S"])

    def begin_with(self, day: date) -> None:
        """Everything before ``day`` has been taken."""
        self.dynamodb.put_item(TableName=self.table, Item={**_MARK, "first": {"S": day.isoformat()}})

    def of(self, day: date) -> dict[str, Receipt]:
        """The receipts of a day by object."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="#day = :day",
            ExpressionAttributeNames={"#day": "day"},
            ExpressionAttributeValues={":day": {"S": day.isoformat()}},
            ConsistentRead=True,
        )
        return {
            item["object"]["S"]: Receipt(taken=int(item["taken"]["N"]), whole=item["whole"]["BOOL"])
            for page in pages
            for item in page["Items"]
        }

    def keep(self, day: date, key: str, receipt: Receipt, *, now: datetime) -> None:
        """Remember ``receipt``, unless more is known already: two runs at a time take nothing back."""
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item={
                    "day": {"S": day.isoformat()},
                    "object": {"S": key},
                    "taken": {"N": str(receipt.taken)},
                    "whole": {"BOOL": receipt.whole},
                    "expires_at": {"N": str(int((now + KEPT).timestamp()))},
                },
                ConditionExpression="attribute_not_exists(taken) OR taken <= :taken",
                ExpressionAttributeValues={":taken": {"N": str(receipt.taken)}},
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise
