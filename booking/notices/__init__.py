"""Recording notices for customers, each in the transaction of what it is about."""
