"""What every loss and every distilled step costs, measured beside a plain rival and a floor."""
