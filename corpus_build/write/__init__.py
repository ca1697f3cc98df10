"""The data sets, their card, reports, the review sheet and the audit."""
