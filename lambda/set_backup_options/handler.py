"""Opts the region in to the backup of each type of store, and to full management of DynamoDB backups.

Without full management a table's backup cannot be copied to another account or region, nor be under the vault's key.
CloudFormation has no type for it. Idempotent; deletion of the custom resource leaves the options on, because recovery
points that exist depend on them.

Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_UpdateRegionSettings.html
"""

from collections.abc import Mapping
from typing import Any

import boto3
from palisade_runtime.custom_resource import Context, Outcome, RefusedRequestError, Request, respond


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Called by CloudFormation with the lists ``ResourceTypes`` and ``FullyManaged``."""
    respond(event, context, service="set_backup_options", act=lambda request: choose(request, boto3.client("backup")))


def choose(request: Request, backup: Any) -> Outcome:
    """Turn on what is asked for, unless the resource is being deleted; other types stay as they are.

    Raises:
        RefusedRequestError: a list is missing or empty, or AWS Backup does not show an option as on afterwards.
    """
    types, managed = request.texts("ResourceTypes"), request.texts("FullyManaged")
    if request.kind != "Delete":
        backup.update_region_settings(
            ResourceTypeOptInPreference=dict.fromkeys(types, True),
            ResourceTypeManagementPreference=dict.fromkeys(managed, True),
        )
        settings = backup.describe_region_settings()
        off = [name for name in types if not settings["ResourceTypeOptInPreference"].get(name)]
        off += [f"{name} management" for name in managed if not settings["ResourceTypeManagementPreference"].get(name)]
        if off:
            raise RefusedRequestError(f"AWS Backup still shows as off: {', '.join(off)}")
    return Outcome(physical_id="backup-options")
