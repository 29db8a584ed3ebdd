import ArgumentParser
import Domain
import Logging
import NIOCore
import ServiceLifecycle
import Storage

#if canImport(Glibc)
  import Glibc
#endif

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the server.",
    discussion: """
      Every setting is a flag, a TIMBERLINE_* variable, or a line of the configuration file, in this order of precedence. \
      `timberline config` shows what is in effect.

      The first start makes an API key and prints it once; requests carry it as `Authorization: Bearer tlk_…`. With --dev \
      no key is needed.
      """)

  @OptionGroup var options: ServerOptions

  func run() async throws {
    let configuration = try options.configuration()
    try await ServerRun(configuration).run { _, _ in }
  }
}

/// One life of the server: from opening the folder to everything flushed.
struct ServerRun: Sendable {
  let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  /// Runs until SIGTERM or SIGINT.
  ///
  /// - Parameter started: Called once connections are taken, with the server's address.
  func run(_ started: @escaping @Sendable (Assembly, _ url: String) async -> Void) async throws {
    let logger = ServerRun.logger(configuration.logLevel)
    let assembly: Assembly
    do {
      assembly = try await Assembly(configuration, logger: logger)
    } catch let error as StorageError where error.kind == .locked {
      throw FailureMessage("the data folder \(configuration.dataFolder) is in use: \(error.cause). \(error.remedy)")
    } catch let error as StorageError {
      throw FailureMessage("\(error)")
    }
    try await announceKey(assembly)
    let configuration = configuration
    let server = assembly.server { port in
      let url = configuration.listen.url(port: port)
      RunningServer.announce(url, in: configuration.dataFolder)
      Terminal.write("Timberline \(Timberline.version) listens on \(url)\n")
      await started(assembly, url)
    }
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: StorageService(assembly: assembly), successTerminationBehavior: .ignore),
          .init(service: InsightService(assembly: assembly), successTerminationBehavior: .ignore),
          .init(service: BoundedDrain(service: server, duration: .seconds(configuration.drainSecondsMax))),
        ],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    defer { RunningServer.withdraw(from: configuration.dataFolder) }
    do {
      try await group.run()
    } catch let error as IOError
      where error.errnoCode == EADDRINUSE || error.errnoCode == EADDRNOTAVAIL || error.errnoCode == EACCES
    {
      throw FailureMessage(
        "can't listen on \(configuration.listen.host):\(configuration.listen.port): "
          + String(cString: strerror(error.errnoCode)))
    }
  }

  private func announceKey(_ assembly: Assembly) async throws {
    if let key = configuration.adminAPIKey {
      guard try await assembly.keys.adopt(key, name: "administrator", tenant: .default) else {
        throw ConfigurationError(
          "TIMBERLINE_ADMIN_API_KEY: the value is not an API key of the form tlk_ and 48 letters and digits; "
            + "`timberline tenant key` makes one")
      }
    } else if !configuration.isDevelopment, try await !assembly.keys.hasKeys() {
      let key = try await assembly.keys.issue(name: "administrator", tenant: .default)
      Terminal.write(
        """
        This is the first start. The administrator's API key, shown only now:

            \(key)

        Send it as 'Authorization: Bearer …', or paste it on the sign-in page.

        """)
    }
  }

  static func logger(_ level: LogLevel) -> Logger {
    var logger = Logger(label: "timberline") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
    return logger
  }
}
