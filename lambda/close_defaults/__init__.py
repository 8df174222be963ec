"""Closes what every VPC is born with: its default security group and its default network ACL."""
