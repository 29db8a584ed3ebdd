/// Counts in, anomalies and incidents out.
enum Detection {}
