"""What a run reads: names of the input and the bytes behind them."""
