"""What the Makefile calls to execute and render the book; no part of the package."""
