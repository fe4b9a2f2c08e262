"""What long-lived programs share: where events come from other than a collector in the process."""
