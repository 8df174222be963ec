"""The gate: judges a synthesized cloud assembly and says in one report what is wrong with it."""
