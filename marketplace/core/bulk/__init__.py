"""The one bulk import: a file of lines, tried first, then done line by line, each exactly once. It knows no subject: a
subject declares an `ImportKind`."""
