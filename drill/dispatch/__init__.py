"""Many requests for escorts given out in one run; every promise and explanation counted again by other code."""
