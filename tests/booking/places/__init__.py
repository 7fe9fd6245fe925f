"""What operators decide about places."""
