"""What was observed beside what the plan says and the request asks."""
