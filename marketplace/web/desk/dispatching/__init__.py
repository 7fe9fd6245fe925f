"""The desk's pages about escort workers: who they are, when they work, and who goes with whom."""
