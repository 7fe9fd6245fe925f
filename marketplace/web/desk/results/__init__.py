"""The desk's reports: which are owed, and delivering one by hand."""
