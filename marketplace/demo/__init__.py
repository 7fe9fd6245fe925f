"""Demonstration data: invented people, offers and past reports, in development only."""
