"""Yours: values only. One module per deployment (``DEPLOYMENT``), and ``waivers.py``."""
