/// Secrets and personal data found in text.
enum Redaction {}
