"""Enables policy types and services of the organization, which CloudFormation cannot."""
