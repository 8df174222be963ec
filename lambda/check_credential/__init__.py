"""Says whether a credential in the vault can be read, without telling it; a sample of a function that reads one."""
