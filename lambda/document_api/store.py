"""Reads and writes one tenant's documents through that tenant's session."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from palisade_runtime.identifiers import DocumentAddress
from palisade_runtime.sessions import TenantClients

from document_api.documents import DELETING, PAGE_SIZE, UPLOAD_SECONDS

# The limit of one DeleteObjects request.
_BATCH = 1000


class DeletionIncompleteError(Exception):
    """Some versions could not be deleted; the item remains, so asking again resumes."""


@dataclass(frozen=True, kw_only=True)
class DocumentStore:
    """One tenant's items and objects."""

    clients: TenantClients
    table: str
    bucket: str
    key_arn: str

    def add(self, item: Mapping[str, Any]) -> None:
        """Stores a new item; an id already in use is an error."""
        self.clients.dynamodb.put_item(
            TableName=self.table,
            Item={name: TypeSerializer().serialize(value) for name, value in item.items()},
            ConditionExpression="attribute_not_exists(#document)",
            ExpressionAttributeNames={"#document": "document"},
        )

    def sign_upload(self, upload: Mapping[str, Any]) -> str:
        """A URL that stores exactly the described object, once, within `UPLOAD_SECONDS`."""
        return str(
            self.clients.s3.generate_presigned_url(
                "put_object",
                Params={"Bucket": self.bucket, "SSEKMSKeyId": self.key_arn, **upload},
                ExpiresIn=UPLOAD_SECONDS,
                HttpMethod="PUT",
            )
        )

    def find(self, address: DocumentAddress) -> dict[str, Any] | None:
        """The item, or None."""
        answer = self.clients.dynamodb.get_item(TableName=self.table, Key=_key(address), ConsistentRead=True)
        return _plain(answer["Item"]) if "Item" in answer else None

    def page(self, after: DocumentAddress | None) -> tuple[list[dict[str, Any]], str | None]:
        """Up to `PAGE_SIZE` items of the tenant, and the document to go on after."""
        start = {"ExclusiveStartKey": _key(after)} if after else {}
        answer = self.clients.dynamodb.query(
            TableName=self.table,
            KeyConditionExpression="#tenant = :tenant",
            ExpressionAttributeNames={"#tenant": "tenant"},
            ExpressionAttributeValues={":tenant": {"S": self.clients.tenant}},
            Limit=PAGE_SIZE,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        return [_plain(item) for item in answer["Items"]], last["document"]["S"] if last else None

    def delete(self, address: DocumentAddress) -> int:
        """Deletes every version of the object, then the item; says how many versions went.

        The item is marked first and removed last: whatever fails in between, the document is already hidden, a late
        analysis cannot bring it back, and the same request made again finishes the work.
        """
        self._mark_deleting(address)
        deleted = 0
        for batch in self._versions(address):
            answer = self.clients.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True})
            if answer.get("Errors"):
                raise DeletionIncompleteError(f"{len(answer['Errors'])} versions remain")
            deleted += len(batch)
        self.clients.dynamodb.delete_item(TableName=self.table, Key=_key(address))
        return deleted

    def _mark_deleting(self, address: DocumentAddress) -> None:
        try:
            self.clients.dynamodb.update_item(
                TableName=self.table,
                Key=_key(address),
                UpdateExpression="SET #status = :deleting REMOVE statistics, summary, title",
                ConditionExpression="attribute_exists(#document)",
                ExpressionAttributeNames={"#status": "status", "#document": "document"},
                ExpressionAttributeValues={":deleting": {"S": DELETING}},
            )
        except self.clients.dynamodb.exceptions.ConditionalCheckFailedException:
            # Gone already, by TTL or by an earlier request: its objects may still be there.
            return

    def _versions(self, address: DocumentAddress) -> Iterator[list[dict[str, str]]]:
        pages = self.clients.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Prefix=address.object_key, PaginationConfig={"PageSize": _BATCH}
        )
        for page in pages:
            found = [
                {"Key": version["Key"], "VersionId": version["VersionId"]}
                for version in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
                if version["Key"] == address.object_key
            ]
            if found:
                yield found


def _key(address: DocumentAddress) -> dict[str, Any]:
    return {"tenant": {"S": address.tenant}, "document": {"S": address.document}}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
