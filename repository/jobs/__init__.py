"""Long work that survives a crash: the intake of batches."""
