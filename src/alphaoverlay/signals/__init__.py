"""Signals: measures stamped when known, the size they give an overlay, and whether they ever worked."""
