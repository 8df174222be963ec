"""Reads one tenant's upload and writes its result, through that tenant's session."""

from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from palisade_runtime.sessions import TenantClients

from analyse_document.uploads import Upload


@dataclass(frozen=True, kw_only=True)
class UploadStore:
    """The object and the item of one upload."""

    clients: TenantClients
    table: str
    bucket: str
    upload: Upload

    def read(self, limit: int) -> bytes:
        """The content, in memory; never more than `limit` + 1 bytes, whatever the event said of its size."""
        answer = self.clients.s3.get_object(Bucket=self.bucket, Key=self.upload.address.object_key, **self._version())
        with answer["Body"] as body:
            return bytes(body.read(limit + 1))

    def state(self) -> str | None:
        """`absent`, `deleting`, `done` (by this or a later version), or None when there is work to do."""
        answer = self.clients.dynamodb.get_item(TableName=self.table, Key=self._key(), ConsistentRead=True)
        item = answer.get("Item")
        if item is None:
            return "absent"
        if item["status"]["S"] == "deleting":
            return "deleting"
        return "done" if item.get("sequencer", {"S": ""})["S"] >= self.upload.sequencer else None

    def record(self, status: str, result: dict[str, Any]) -> bool:
        """Writes the result once; False if the item went away, is being deleted, or has this or a later result."""
        values = {"status": status, "sequencer": self.upload.sequencer, "stored_size": self.upload.size, **result}
        names = {f"#{name}": name for name in (*values, "document")}
        try:
            self.clients.dynamodb.update_item(
                TableName=self.table,
                Key=self._key(),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression="attribute_exists(#document) AND #status <> :deleting"
                " AND (attribute_not_exists(#sequencer) OR #sequencer < :sequencer)",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={
                    ":deleting": {"S": "deleting"},
                    **{f":{name}": TypeSerializer().serialize(value) for name, value in values.items()},
                },
            )
        except self.clients.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def discard(self) -> None:
        """Deletes the uploaded version: it arrived after its document had been deleted."""
        self.clients.s3.delete_object(Bucket=self.bucket, Key=self.upload.address.object_key, **self._version())

    def _version(self) -> dict[str, str]:
        return {"VersionId": self.upload.version} if self.upload.version else {}

    def _key(self) -> dict[str, Any]:
        address = self.upload.address
        return {"tenant": {"S": address.tenant}, "document": {"S": address.document}}
