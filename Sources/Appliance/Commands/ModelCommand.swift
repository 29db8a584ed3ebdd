import ArgumentParser
import Indexing

struct ModelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Add a larger model for search by meaning, list and remove them.",
    discussion: """
      The file is made by scripts/convert_model.py. Of several, the one that was added last is used. A server takes it \
      at its next start.
      """,
    subcommands: [Add.self, List.self, Remove.self])

  struct Folder: ParsableArguments {
    @Option(help: ArgumentHelp("The data folder (default ./timberline-data).", valueName: "dir")) var data: String?

    func models() throws -> ModelFolder {
      var flags: [String: String] = [:]
      flags["data"] = data
      let configuration = try Configuration(flags: flags, environment: ProcessEnvironment.variables, file: nil)
      return ModelFolder(dataFolder: configuration.dataFolder)
    }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Check a model file and copy it into the data folder.")
    @Argument(help: "The file.", completion: .file()) var file: String
    @OptionGroup var folder: Folder

    func run() throws {
      do {
        let model = try folder.models().add(file)
        Terminal.write(
          "\(model.name): \(model.dimension) dimensions, \(model.byteCount) bytes, "
            + "\(model.license.isEmpty ? "no license named" : "license \(model.license)")\n"
            + "A server uses it from its next start on.\n")
      } catch let failure as ModelFolder.Failure {
        throw FailureMessage("\(failure)")
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the models; the first one is used.")
    @OptionGroup var folder: Folder

    func run() throws {
      let rows = try folder.models().entries().map { model in
        [model.name, "\(model.byteCount)", model.license, model.problem ?? "good"]
      }
      Terminal.write(Table(columns: ["name", "bytes", "license", "state"], rows: rows, rightAligned: [1]).text)
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove a model.")
    @Argument(help: "Its name, as `list` shows it.") var name: String
    @OptionGroup var folder: Folder

    func run() throws {
      do {
        try folder.models().remove(name)
      } catch let failure as ModelFolder.Failure {
        throw FailureMessage("\(failure)")
      }
    }
  }
}
