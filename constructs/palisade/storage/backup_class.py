"""How a store's backups are made and kept, written on the store itself as a tag that backup plans select by."""

from __future__ import annotations

import enum

import aws_cdk as cdk

from constructs import IConstruct

BACKUP_TAG = "palisade:backup"


class BackupClass(enum.Enum):
    """What a backup of the store may outlive.

    ``STANDARD`` is kept as long as the business may need it: point in time, daily and monthly copies in another account
    and region. ``DOCUMENTS`` is promised to be gone after a set time, so its backups are few and short-lived.
    ``ARCHIVED`` is copied elsewhere as it is written (logs on their way to the archive, build artifacts that a commit can
    make again) and belongs in no backup plan.
    """

    STANDARD = "standard"
    DOCUMENTS = "documents"
    ARCHIVED = "archived"

    def mark(self, resource: IConstruct) -> None:
        """Put the tag on ``resource``.

        https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
        """
        cdk.Tags.of(resource).add(BACKUP_TAG, self.value)
