"""Who waits for a doctor, and how one comes to her."""
