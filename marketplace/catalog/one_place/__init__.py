"""One hospital is one place: entries that mean it are found, merged and parted; and what a kind of place can't do."""
