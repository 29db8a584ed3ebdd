import Testing

@testable import Detection

@Suite struct DetectionTests {}
