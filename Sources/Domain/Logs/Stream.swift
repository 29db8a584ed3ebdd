/// Who wrote a record: a distinct set of labels, sorted by name.
package struct Stream: Hashable, Sendable {
  /// Sorted by name bytes; names are distinct.
  package let labels: [Field]

  /// Sorts `labels`; of two with one name the last wins.
  package init(labels: [Field]) {
    var byName: [[UInt8]: [UInt8]] = [:]
    for label in labels { byName[label.name] = label.value }
    self.labels = byName.map { Field(name: $0.key, value: $0.value) }
      .sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  package func label(_ name: String) -> [UInt8]? {
    let bytes = Array(name.utf8)
    return labels.first { $0.name == bytes }?.value
  }

  /// The `_stream` field: `{kubernetes.pod_name="api-0",stream="stderr"}`. Quotes and backslashes in values are escaped.
  package var description: [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "{")]
    for (index, label) in labels.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      text += label.name
      text += [UInt8(ascii: "="), UInt8(ascii: "\"")]
      for byte in label.value {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "\n"): text += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
        default: text.append(byte)
        }
      }
      text.append(UInt8(ascii: "\""))
    }
    text.append(UInt8(ascii: "}"))
    return text
  }
}
