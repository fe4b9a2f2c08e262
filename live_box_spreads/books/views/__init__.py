"""What a screen shows of boxes and curves: numbers, no drawing."""
