"""The embedded AWS: pinned ministack, the services it lacks, and the CloudFormation types it lacks."""
