import Foundation
import VectorIndex

/// Drives the index for `bench_vectors.py`: commands on standard input, one line each; an answer of one line of JSON.
@main
struct VectorBench {
  static func main() {
    var session = Session()
    while let line = readLine() {
      print(session.answer(line.split(separator: " ").map(String.init)))
      fflush(nil)
    }
  }
}

/// The clocks that a figure is given in.
struct Clocks {
  var wall: Double
  var cpu: Double

  static var now: Clocks {
    func seconds(_ clock: clockid_t) -> Double {
      var time = timespec()
      clock_gettime(clock, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
    return Clocks(wall: seconds(CLOCK_MONOTONIC), cpu: seconds(CLOCK_PROCESS_CPUTIME_ID))
  }

  var elapsed: Clocks {
    let now = Clocks.now
    return Clocks(wall: now.wall - wall, cpu: now.cpu - cpu)
  }

  var json: String { "\"wall\": \(wall), \"cpu\": \(cpu)" }
}

/// A matrix of float32 or int32 in a file of NumPy's, mapped: never more of it in memory than is read.
final class MappedMatrix: @unchecked Sendable {
  let rows: Int
  let columns: Int
  private let memory: UnsafeMutableRawPointer
  private let byteCount: Int
  private let start: Int

  init(_ path: String) {
    let descriptor = open(path, O_RDONLY)
    precondition(descriptor >= 0, "cannot open \(path)")
    byteCount = Int(lseek(descriptor, 0, SEEK_END))
    guard let memory = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else {
      preconditionFailure("cannot map \(path)")
    }
    close(descriptor)
    self.memory = memory
    let headerByteCount = Int(memory.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
    let header = String(decoding: UnsafeRawBufferPointer(start: memory + 10, count: headerByteCount), as: UTF8.self)
    let shape = header.split(separator: "(")[1].split(separator: ")")[0].split(separator: ",")
    rows = Int(shape[0].trimmingCharacters(in: .whitespaces)) ?? 0
    columns = Int(shape[1].trimmingCharacters(in: .whitespaces)) ?? 0
    start = 10 + headerByteCount
  }

  deinit { munmap(memory, byteCount) }

  func row<T>(_ row: Int, as type: T.Type) -> UnsafePointer<T> {
    UnsafePointer((memory + start + row * columns * 4).assumingMemoryBound(to: T.self))
  }

  func vector(_ row: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: self.row(row, as: Float.self), count: columns))
  }
}

let onAllCores: HNSWIndex.Concurrently = { count, body in
  DispatchQueue.concurrentPerform(iterations: count, execute: body)
}

struct Session {
  private var base: MappedMatrix?
  private var queries: [[Float]] = []
  private var truth: [Set<UInt64>] = []
  private var index = HNSWIndex(dimension: 1)

  mutating func answer(_ words: [String]) -> String {
    switch words.first {
    case "load": return load(words[1])
    case "build": return build(words)
    case "search": return search(ef: Int(words[1]) ?? 64, isFull: words.contains("full"), repeats: 5)
    case "save": return save(words[1])
    case "open": return openSnapshot(words[1], isMapped: words.contains("mapped"))
    case "churn": return churn(rounds: Int(words[1]) ?? 3, ef: Int(words[2]) ?? 64)
    case "filter": return filter(share: Double(words[1]) ?? 0.1, ef: words.count > 2 ? Int(words[2]) : nil)
    case "publish": return publish()
    case "stats":
      let stats = index.stats()
      return """
        {"bytes": \(Double(stats.byteCount) / Double(max(stats.count, 1))), "degree": \(stats.meanDegree), \
        "levels": \(stats.nodeCounts), "unreachable": \(stats.unreachableCount), "free": \(stats.freeSlotCount)}
        """
    default: return "{\"error\": \"unknown command\"}"
    }
  }

  private mutating func load(_ prefix: String) -> String {
    let base = MappedMatrix(prefix + ".base.npy")
    let query = MappedMatrix(prefix + ".query.npy")
    let nearest = MappedMatrix(prefix + ".gt.npy")
    self.base = base
    queries = (0..<query.rows).map { query.vector($0) }
    truth = (0..<query.rows).map { row in Set((0..<10).map { UInt64(nearest.row(row, as: Int32.self)[$0]) }) }
    return "{\"count\": \(base.rows), \"dimension\": \(base.columns)}"
  }

  /// build PRECISION [THREADS [COUNT]]: one insertion after another with 0 threads, else in batches.
  private mutating func build(_ words: [String]) -> String {
    guard let base else { return "{\"error\": \"nothing loaded\"}" }
    let precisions: [String: Precision] = ["int8": .int8, "int12": .int12, "float16": .float16, "float32": .float32]
    let threads = words.count > 2 ? Int(words[2]) ?? 0 : 0
    let count = words.count > 3 ? Int(words[3]) ?? base.rows : base.rows
    index = HNSWIndex(dimension: base.columns, precision: precisions[words[1]] ?? .int12)
    let start = Clocks.now
    do {
      if threads == 0 {
        for row in 0..<count { try index.insert(id: UInt64(row), vector: base.vector(row)) }
      } else {
        for first in stride(from: 0, to: count, by: 10_000) {
          let batch = (first..<min(first + 10_000, count)).map { (id: UInt64($0), vector: base.vector($0)) }
          try index.insert(batch, concurrently: threads == 1 ? HNSWIndex.serially : onAllCores)
        }
      }
    } catch { return "{\"error\": \"\(error)\"}" }
    return "{\(start.elapsed.json), \"count\": \(count)}"
  }

  private func recall(_ answers: [[Neighbor]], against truth: [Set<UInt64>]) -> Double {
    var found = 0
    var wanted = 0
    for (answer, want) in zip(answers, truth) {
      found += answer.filter { want.contains($0.id) }.count
      wanted += want.count
    }
    return Double(found) / Double(max(wanted, 1))
  }

  private func search(ef: Int, isFull: Bool, repeats: Int) -> String {
    guard let base else { return "{\"error\": \"nothing loaded\"}" }
    var best = Double.infinity
    var answers: [[Neighbor]] = []
    for _ in 0..<repeats {
      answers.removeAll(keepingCapacity: true)
      let start = Clocks.now
      do {
        for query in queries {
          answers.append(
            isFull
              ? try index.neighbors(of: query, k: 10, ef: ef, fullVectors: { base.row(Int($0), as: Float.self) })
              : try index.neighbors(of: query, k: 10, ef: ef))
        }
      } catch { return "{\"error\": \"\(error)\"}" }
      best = min(best, start.elapsed.cpu)
    }
    return "{\"qps\": \(Double(queries.count) / best), \"recall\": \(recall(answers, against: truth))}"
  }

  private func save(_ path: String) -> String {
    let start = Clocks.now
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var written = 0
    var pending: [UInt8] = []
    func flush() {
      written += pending.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      pending.removeAll(keepingCapacity: true)
    }
    index.writeSnapshot { piece in
      pending.append(contentsOf: piece)
      if pending.count >= 1 << 20 { flush() }
    }
    flush()
    close(descriptor)
    return "{\(start.elapsed.json), \"bytes\": \(written)}"
  }

  private mutating func openSnapshot(_ path: String, isMapped: Bool) -> String {
    index = HNSWIndex(dimension: 1)
    let start = Clocks.now
    let file = MappedFile(path)
    do { index = try HNSWIndex(snapshot: file.bytes, owner: isMapped ? file : nil) } catch {
      return "{\"error\": \"\(error)\"}"
    }
    return "{\(start.elapsed.json), \"count\": \(index.count)}"
  }

  /// Removes half and inserts it again, again and again: recall at a fixed ef and size before and after.
  private mutating func churn(rounds: Int, ef: Int) -> String {
    guard let base else { return "{\"error\": \"nothing loaded\"}" }
    let before = search(ef: ef, isFull: false, repeats: 1)
    let sizeBefore = index.stats().byteCount
    let count = index.count
    var removal = 0.0
    var insertion = 0.0
    var sizeHalved = 0
    for round in 0..<rounds {
      var start = Clocks.now
      for id in 0..<UInt64(count) where (id &* 0x9E37_79B9_7F4A_7C15) >> 40 & 1 == UInt64(round & 1) {
        index.remove(id: id)
      }
      removal += start.elapsed.cpu
      sizeHalved = index.stats().byteCount
      start = Clocks.now
      for id in 0..<UInt64(count) where !index.contains(id) {
        do { try index.insert(id: id, vector: base.vector(Int(id))) } catch { return "{\"error\": \"\(error)\"}" }
      }
      insertion += start.elapsed.cpu
    }
    let each = 1e6 / Double(rounds * count / 2)
    return """
      {"before": \(before), "after": \(search(ef: ef, isFull: false, repeats: 1)), \
      "size": \(Double(index.stats().byteCount) / Double(sizeBefore)), \
      "halved": \(Double(sizeHalved) / Double(sizeBefore)), "removal_us": \(removal * each), \
      "insertion_us": \(insertion * each)}
      """
  }

  /// Recall and time with a predicate and with a set of ids, beside an exact scan of those that pass.
  private func filter(share: Double, ef: Int?) -> String {
    guard base != nil else { return "{\"error\": \"nothing loaded\"}" }
    let bound = UInt64(share * Double(1 << 24))
    func passes(_ id: UInt64) -> Bool { (id &* 0x9E37_79B9_7F4A_7C15) >> 40 < bound }
    let ids = (0..<UInt64(index.count)).filter(passes)
    let set = IDFilter(ids)
    let sample = queries.prefix(200)
    do {
      var start = Clocks.now
      let exact = try sample.map { try index.neighbors(of: $0, k: 10, ef: index.count, among: set) }
      let scan = start.elapsed.cpu
      let truth = exact.map { Set($0.map(\.id)) }
      start = Clocks.now
      let bySet = try sample.map { try index.neighbors(of: $0, k: 10, ef: ef, among: set) }
      let setTime = start.elapsed.cpu
      start = Clocks.now
      let byPredicate = try sample.map { try index.neighbors(of: $0, k: 10, ef: ef, filter: passes) }
      let predicateTime = start.elapsed.cpu
      let each = 1e6 / Double(sample.count)
      return """
        {"scan_us": \(scan * each), "ids_us": \(setTime * each), "ids_recall": \(recall(bySet, against: truth)), \
        "predicate_us": \(predicateTime * each), "predicate_recall": \(recall(byPredicate, against: truth))}
        """
    } catch { return "{\"error\": \"\(error)\"}" }
  }

  /// One insertion at a time, each while a reader holds the copy before it.
  private mutating func publish() -> String {
    guard let base else { return "{\"error\": \"nothing loaded\"}" }
    let count = 1000
    var published = index
    var slowestCopy = 0.0
    let start = Clocks.now
    for row in 0..<count {
      do { try index.insert(id: UInt64(1 << 40 + row), vector: base.vector(row)) } catch {
        return "{\"error\": \"\(error)\"}"
      }
      let copying = Clocks.now
      published = index
      slowestCopy = max(slowestCopy, copying.elapsed.cpu)
    }
    let time = start.elapsed.cpu
    for row in 0..<count { index.remove(id: UInt64(1 << 40 + row)) }
    return """
      {"insertion_us": \(time / Double(count) * 1e6), "slowest_copy_us": \(slowestCopy * 1e6), \
      "held": \(published.count)}
      """
  }
}

final class MappedFile: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  init(_ path: String) {
    let descriptor = open(path, O_RDONLY)
    precondition(descriptor >= 0, "cannot open \(path)")
    let byteCount = Int(lseek(descriptor, 0, SEEK_END))
    bytes = UnsafeRawBufferPointer(start: mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), count: byteCount)
    close(descriptor)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
