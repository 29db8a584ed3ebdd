import Domain
import Foundation
import Testing

@testable import Storage

@Suite struct DataDirectoryTests {
  @Test func `a second start with the same folder is refused and told who has it`() throws {
    let fixture = try StorageFixture()
    let first = try fixture.directory()

    let error = #expect(throws: StorageError.self) { try fixture.directory() }

    #expect(error?.kind == .locked)
    #expect(error?.description.contains("process \(getpid()) is using it") == true)
    #expect(error?.file == first.path)
  }

  @Test func `the lock goes with its holder`() throws {
    let fixture = try StorageFixture()
    do { _ = try fixture.directory() }

    #expect(throws: Never.self) { try fixture.directory() }
  }

  @Test func `nobody else can read what is stored`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    try await append(try await pool.open(fixture.acme), count: 1)
    let control = try await ControlDatabase(directory)

    func mode(_ path: String) throws -> Int {
      try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }
    for folder in [directory.path, directory.path + "/tenants", directory.tenantFolder(fixture.acme.tenant)] {
      #expect(try mode(folder) == 0o700, "\(folder)")
    }
    let file = directory.tenantFile(fixture.acme.tenant)
    for file in [directory.controlFile, directory.path + "/lock", file, file + "-wal", file + "-shm"] {
      #expect(try mode(file) == 0o600, "\(file)")
    }
    await control.close()
    await pool.closeAll()
  }

  @Test func `a folder that cannot be made says so`() throws {
    let fixture = try StorageFixture()
    try FileManager.default.createDirectory(atPath: fixture.root, withIntermediateDirectories: true)
    _ = FileManager.default.createFile(atPath: fixture.root + "/data", contents: nil)

    let error = #expect(throws: StorageError.self) { try fixture.directory() }

    #expect(error?.kind == .inputOutput)
  }

  @Test func `some space is held for a full disk, and given up once`() throws {
    let fixture = try StorageFixture()
    do {
      let directory = try fixture.directory()
      #expect(try readFile(directory.path + "/reserve").count == 1 << 20)

      #expect(directory.releaseReserve())
      #expect(!directory.releaseReserve())
    }
    #expect(try fixture.directory().releaseReserve())
  }

  @Test func `tenants with a file are listed`() async throws {
    let fixture = try StorageFixture()
    let directory = try fixture.directory()
    let pool = fixture.pool(directory)
    _ = try await pool.open(fixture.globex)
    _ = try await pool.open(fixture.acme)

    #expect(pool.tenantsOnDisk() == [fixture.acme.tenant, fixture.globex.tenant])
    await pool.closeAll()
  }
}
