"""An escort as its customer sees it: who comes, the steps with their times, notes, papers and costs."""
