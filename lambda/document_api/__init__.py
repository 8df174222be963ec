"""The document service's API: create, list, read and delete the documents of the caller's tenant."""
