/// The bytes of a model file, which an embedder reads in place for as long as it lives.
///
/// `@unchecked Sendable`: the bytes are never written, and freed when nobody is left to read them.
package final class TransformerModelBytes: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  private let copy: UnsafeMutableRawBufferPointer?
  private let release: (@Sendable () -> Void)?

  /// Numbers are read in place, so a file must start where they may.
  private static let alignment = 64

  /// - Parameters:
  ///   - mapped: A file in memory. It must not change nor shrink meanwhile: replace it by renaming another over it.
  ///   - release: Called once, when the bytes are no longer read; unmaps the file.
  package init(mapped: UnsafeRawBufferPointer, release: @escaping @Sendable () -> Void) {
    self.release = release
    let address = UInt(bitPattern: mapped.baseAddress)
    copy = address % UInt(TransformerModelBytes.alignment) == 0 ? nil : TransformerModelBytes.copied(mapped)
    bytes = copy.map { UnsafeRawBufferPointer($0) } ?? mapped
  }

  package init(copying file: [UInt8]) {
    let copied = file.withUnsafeBytes { TransformerModelBytes.copied($0) }
    copy = copied
    bytes = UnsafeRawBufferPointer(copied)
    release = nil
  }

  deinit {
    copy?.deallocate()
    release?()
  }

  private static func copied(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawBufferPointer {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: alignment)
    copy.copyMemory(from: bytes)
    return copy
  }
}
