"""Sources of prices and rates, and the exchange's calendar: from files to a `History`."""
