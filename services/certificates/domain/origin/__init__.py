"""The origin of goods: rules in a small language, evaluated on cost statements with exact decimals (decision 0034)."""
