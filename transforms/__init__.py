"""One PTransform a file, named by its verb. They know no table names, no clocks, no clients."""
