"""What a backtest's numbers say: metrics, calendar tables, drawdowns, rolling returns."""
