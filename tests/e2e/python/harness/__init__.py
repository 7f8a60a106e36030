"""What the tests share: the server under test, workers, ids, and reading of histories."""
