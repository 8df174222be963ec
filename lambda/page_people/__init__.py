"""Calls people through every channel there is, and says by the others which one failed."""
