import Domain

/// A tenant's workloads by number, which stays for the tenant's life, and by name.
struct WorkloadNumbers: Sendable {
  private(set) var names: [UInt32: String]
  private var numbers: [String: UInt32] = [:]
  private var next: UInt32 = 1
  /// Not in the file yet.
  private(set) var added: [(number: UInt32, name: String)] = []

  init(_ names: [UInt32: String] = [:]) {
    self.names = names
    for (number, name) in names { numbers[name] = number }
    next = (names.keys.max() ?? 0) + 1
  }

  func name(_ number: UInt32) -> String { names[number] ?? "" }

  func number(of name: String) -> UInt32? { numbers[name] }

  /// The number of `name`, a new one if it has none.
  mutating func claim(_ name: String) -> UInt32 {
    if let known = numbers[name] { return known }
    let number = next
    next += 1
    numbers[name] = number
    names[number] = name
    added.append((number, name))
    return number
  }

  mutating func didSave() { added = [] }
}
