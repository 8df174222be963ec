"""Nothing is left out: every store audited and backed up, every entrance logged and guarded, every log kept and redacted."""
