/// How far a long job has come, on standard error; a line at the end where that is no terminal.
struct ProgressBar {
  private let name: String
  private let byteCount: Int?
  private let isShown: Bool
  private var doneByteCount = 0
  private let start = ContinuousClock.now
  private var lastShown = ContinuousClock.now

  init(name: String, byteCount: Int?, isShown: Bool) {
    self.name = name
    self.byteCount = byteCount
    self.isShown = isShown
  }

  mutating func read(_ count: Int) { doneByteCount += count }

  mutating func show(_ recordCount: Int) {
    guard isShown, Terminal.errorIsTerminal, ContinuousClock.now - lastShown > .milliseconds(100) else { return }
    lastShown = ContinuousClock.now
    var bar = ""
    if let byteCount, byteCount > 0 {
      let width = 24
      let filled = min(width, doneByteCount * width / byteCount)
      bar =
        String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        + " \(min(100, doneByteCount * 100 / byteCount)) %  "
    }
    Terminal.writeError("\r\u{1B}[K\(name)  \(bar)\(recordCount) records, \(rate(recordCount)) a second")
  }

  func finish(_ text: String) {
    guard isShown else { return }
    if Terminal.errorIsTerminal { Terminal.writeError("\r\u{1B}[K") }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    Terminal.writeError("\(name): \(text), \((seconds * 10).rounded() / 10) s\n")
  }

  private func rate(_ count: Int) -> Int {
    Int(Double(count) / max(0.001, (ContinuousClock.now - start) / .seconds(1)))
  }
}
