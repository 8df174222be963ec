"""Checks what a restore test restored and reports the result to AWS Backup."""
