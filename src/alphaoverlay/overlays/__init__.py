"""From wanted exposures to fund weights, and what a portfolio looks through to, costs and risks."""
