"""The desk's pages about the provider's own figures and closing statements."""
