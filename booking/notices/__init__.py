"""Recording what a customer is notified of, in the transaction that makes it true."""
