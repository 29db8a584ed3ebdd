import ArgumentParser
import Domain
import Identity
import Storage

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check every block and index of a data folder.",
    discussion: "Reads everything; no server may be running on the folder. Exit code 1 if anything is wrong.")

  @Option(help: ArgumentHelp("The data folder (default ./timberline-data).", valueName: "dir")) var data: String?
  @Option(help: "Only this tenant.") var tenant: String?

  func run() async throws {
    var flags = ["log_level": "error"]
    flags["data"] = data
    let configuration = try Configuration(flags: flags, environment: ProcessEnvironment.variables, file: nil)
    guard Assembly.isDataFolder(configuration.dataFolder) else {
      throw FailureMessage("no data in \(configuration.dataFolder); name the folder with --data")
    }
    var findingCount = 0
    do {
      let assembly = try await Assembly(configuration, logger: ServerRun.logger(.error))
      var tenants = assembly.pool.tenantsOnDisk()
      if let tenant { tenants = tenants.filter { $0.text == tenant } }
      if tenants.isEmpty { Terminal.write("No tenant has a file yet.\n") }
      for tenant in tenants {
        let database = try await assembly.pool.open(AccessPolicy.operatorScope(of: tenant))
        assembly.indexes.follow(database)
        let report = try await database.verify()
        Terminal.write(
          "\(tenant.text): \(report.blockCount) blocks, \(report.segmentCount) segments, \(report.recordCount) records, "
            + "\(report.templateCount) templates, \(report.streamCount) streams, \(report.embeddingCount) embeddings, "
            + "\(report.analysisCount) analyses: \(report.findings.isEmpty ? Terminal.colored("ok", .green) : "DAMAGED")\n"
        )
        for finding in report.findings {
          Terminal.write("  \(Terminal.colored(finding.place, .red)): \(finding.problem). \(finding.remedy)\n")
        }
        findingCount += report.findings.count
      }
      await assembly.close()
    } catch let error as StorageError {
      throw FailureMessage("\(error)")
    }
    if findingCount > 0 { throw FailureMessage("\(findingCount) places are damaged") }
  }
}
