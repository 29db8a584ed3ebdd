import Testing

@testable import Redaction

@Suite struct RedactionTests {}
