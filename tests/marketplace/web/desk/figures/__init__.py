"""The provider's own figures and closing statements, in the desk's pages."""
