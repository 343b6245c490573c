"""The backtest: targets, the calendar of trades, costs, and the loop over sessions."""
