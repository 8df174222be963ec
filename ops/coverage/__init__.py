"""The assembly held against published standards, control by control: met, not applicable, waived or not covered."""
