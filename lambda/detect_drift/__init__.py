"""Notices stacks that are no longer what their templates say."""
