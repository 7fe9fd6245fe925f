"""What operators decide about places: which entries mean one, and what one may do that its kind can't."""
