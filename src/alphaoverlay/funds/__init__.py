"""Funds and the indices they follow: terms, catalogue, returns (real and synthetic)."""
