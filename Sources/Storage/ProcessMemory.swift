internal import CKernels
internal import Foundation
internal import Glibc

/// The process's heap: how it is set up, and when it gives back what it no longer needs.
package enum ProcessMemory {
  /// Sets the allocator up for a server. To be called first of all, before threads run.
  package static func configure() { tl_memory_configure() }

  /// Gives free memory back to the system.
  static func trim() { tl_memory_trim() }

  /// Bytes in memory now; 0 if the system does not say.
  static var residentByteCount: Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var total = 0
    var resident = 0
    return withUnsafeMutablePointer(to: &total) { total in
      withUnsafeMutablePointer(to: &resident) { resident in
        withVaList([total, resident]) { vfscanf(file, "%ld %ld", $0) } == 2 ? resident.pointee * 4096 : 0
      }
    }
  }
}
