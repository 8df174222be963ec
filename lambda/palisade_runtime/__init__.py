"""What every function of a workload shares: redacted logs, tenant sessions, identifiers and responses.

Only the standard library and the AWS SDK of the Lambda runtime are imported here.
"""
