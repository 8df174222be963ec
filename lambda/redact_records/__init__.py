"""The second net: takes secrets out of what Firehose carries, whoever wrote it."""
