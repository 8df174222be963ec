"""Settings of an account and its regions that CloudFormation has no type for."""
