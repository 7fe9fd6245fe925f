"""Recording what a customer is to be told, in the transaction that makes it true."""
