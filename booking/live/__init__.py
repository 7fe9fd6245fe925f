"""What pages and programs are told as it happens: events, how they are read without loss, and tickets for a stream."""
