"""Google Pub/Sub as the messages' way. Its modules, of the extra `gcp`, are imported on use only."""
