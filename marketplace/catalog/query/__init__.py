"""What somebody typed into a search box: understood as words, places and tiers, and turned into conditions."""
