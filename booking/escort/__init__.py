"""Who is sent to a customer: workers, their rosters, and how one is found, asked, and replaced."""
