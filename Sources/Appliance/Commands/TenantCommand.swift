import ArgumentParser
import Domain
import Storage

struct TenantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant", abstract: "Add tenants and make their API keys, on a data folder no server is running on.",
    subcommands: [Add.self, Key.self, List.self])

  struct Folder: ParsableArguments {
    @Option(help: ArgumentHelp("The data folder (default ./timberline-data).", valueName: "dir")) var data: String?

    /// - Parameter createsFolder: Whether a data folder that is not there is made; else it is an error that names it.
    func withAssembly(createsFolder: Bool = false, _ body: (Assembly) async throws -> Void) async throws {
      var flags = ["log_level": "error"]
      flags["data"] = data
      let configuration = try Configuration(flags: flags, environment: ProcessEnvironment.variables, file: nil)
      guard createsFolder || Assembly.isDataFolder(configuration.dataFolder) else {
        throw FailureMessage("no data in \(configuration.dataFolder); name the folder with --data")
      }
      do {
        let assembly = try await Assembly(configuration, logger: ServerRun.logger(.error))
        try await body(assembly)
        await assembly.close()
      } catch let error as StorageError {
        throw FailureMessage("\(error)")
      }
    }

    static func tenant(_ text: String) throws -> TenantID {
      guard let tenant = TenantID(text) else {
        throw ValidationError("'\(text)' is not a tenant's id: lowercase letters, digits and '-', at most 64")
      }
      return tenant
    }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Add a tenant and print its first API key.")
    @Argument(help: "Its id: lowercase letters, digits and '-'.") var id: String
    @Option(help: "Its name, for people (default: the id).") var name: String?
    @OptionGroup var folder: Folder

    func run() async throws {
      let tenant = try Folder.tenant(id)
      try await folder.withAssembly(createsFolder: true) { assembly in
        try await assembly.control.tenants.create(
          Tenant(id: tenant, name: name ?? id, createdAt: Assembly.now()))
        Terminal.write(try await assembly.keys.issue(name: "administrator", tenant: tenant) + "\n")
      }
    }
  }

  struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make one more API key for a tenant and print it.")
    @Argument(help: "The tenant's id.") var id = "default"
    @Option(help: "What the key is for.") var name = "key"
    @OptionGroup var folder: Folder

    func run() async throws {
      let tenant = try Folder.tenant(id)
      try await folder.withAssembly(createsFolder: true) { assembly in
        guard try await assembly.control.tenants.find(tenant) != nil else {
          throw FailureMessage("there is no tenant '\(id)'; `timberline tenant list` shows them")
        }
        Terminal.write(try await assembly.keys.issue(name: name, tenant: tenant) + "\n")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the tenants.")
    @OptionGroup var folder: Folder

    func run() async throws {
      try await folder.withAssembly { assembly in
        let tenants = try await assembly.control.tenants.all()
        Terminal.write(
          Table(columns: ["id", "name", "since"], rows: tenants.map { [$0.id.text, $0.name, $0.createdAt.rfc3339] })
            .text)
      }
    }
  }
}
