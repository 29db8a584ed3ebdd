/// A record on its way through pipes: fields in order, names distinct. A missing field reads as empty.
package struct Row: Sendable, Equatable {
  package var fields: [(name: String, value: [UInt8])]
  /// How many equal records it stands for: more than one only at the head of a chain that `PipeChain.takesCounts`.
  package var count = 1

  package init(_ fields: [(name: String, value: [UInt8])] = []) { self.fields = fields }

  package subscript(name: String) -> [UInt8] {
    get {
      for field in fields where field.name == name { return field.value }
      return []
    }
    set {
      for index in fields.indices where fields[index].name == name {
        fields[index].value = newValue
        return
      }
      fields.append((name, newValue))
    }
  }

  package static func == (left: Row, right: Row) -> Bool {
    left.fields.elementsEqual(right.fields) { $0.name == $1.name && $0.value == $1.value }
  }
}
