import ArgumentParser

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Show the effective configuration and where each value comes from.",
    discussion: "Takes the same flags as `serve`. Secrets are not shown.")

  @OptionGroup var options: ServerOptions

  func run() throws {
    let configuration = try options.configuration()
    let rows = configuration.origins.map { entry in
      let text = entry.text.isEmpty ? "(none)" : entry.setting.isSecret ? "***" : entry.text
      let origin =
        switch entry.origin {
        case .default: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .variable: entry.setting.variable
        case .flag: entry.setting.flag
        }
      return [entry.setting.name, text, origin]
    }
    Terminal.write(Table(columns: ["setting", "value", "from"], rows: rows).text)
  }
}
