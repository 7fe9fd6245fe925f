"""One provider system's wire format a file, and what these files share."""
