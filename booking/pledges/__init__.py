"""What is promised by the second: pledges, their clock, and what a broken one gives the customer."""
