import Analysis
import Domain
import Hummingbird
import HummingbirdCore
import Identity
import Indexing
import Ingest
import Logging
import NIOCore
import Search
import ServiceLifecycle
import Storage
import Web

#if canImport(Glibc)
  import Glibc
#endif

/// Every part of the server, built once.
struct Assembly: Sendable {
  let configuration: Configuration
  let logger: Logger
  let directory: DataDirectory
  let control: ControlDatabase
  let pool: TenantDatabasePool
  let indexes: TenantIndexPool
  let keys: APIKeyService
  let access: AccessPolicy
  let ingest: IngestService
  let search: SearchService
  let analyses: AnalysisService
  let watch: WatchService
  let reports: ReportService
  let narratives: Narratives
  let modelTransport = AsyncHTTPTransport()
  let routes: Routes
  let metrics = RequestMetrics()
  let connections = ClientConnections()

  static let now: @Sendable () -> Timestamp = {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// Opens the data folder and builds everything on it.
  ///
  /// - Parameter processKey: See `AccessPolicy`.
  /// - Throws: `StorageError`, `.locked` if another process has the folder.
  init(_ configuration: Configuration, logger: Logger, processKey: String? = nil) async throws {
    ProcessMemory.configure()
    self.configuration = configuration
    self.logger = logger
    let now = Assembly.now
    directory = try DataDirectory(path: configuration.dataFolder)
    control = try await ControlDatabase(directory)
    let retention = configuration.retention.map { $0.components.seconds * 1_000_000_000 }
    var options = StorageOptions()
    options.openTenantsMax = configuration.openTenantCountMax
    options.headAgeSecondsMax = configuration.headSecondsMax
    options.retentionNanoseconds = retention
    let pool = TenantDatabasePool(
      directory, options: options, computeThreadCount: max(1, Assembly.coreCount / 2), now: now, logger: logger)
    let indexes = TenantIndexPool(
      secondStage: try Assembly.secondStage(configuration, modelTransport, logger), logger: logger)
    self.pool = pool
    self.indexes = indexes
    let executor = ComputeExecutor(threadCount: max(1, Assembly.coreCount))
    if try await control.tenants.find(.default) == nil {
      try await control.tenants.create(Tenant(id: .default, name: "default", createdAt: now()))
    }
    keys = try await APIKeyService(control: control, now: now)
    access = AccessPolicy(keys: keys, isDevelopment: configuration.isDevelopment, processKey: processKey)
    ingest = IngestService(
      pool: pool,
      limits: IngestLimits(
        bodyByteCountMax: configuration.bodyByteCountMax, lineByteCountMax: configuration.lineByteCountMax,
        fieldCountMax: configuration.fieldCountMax, retentionNanoseconds: retention),
      executor: executor, now: now, didOpen: { indexes.follow($0) })
    let gate = QueryGate(
      QueryGateLimits(
        runningPerTenant: configuration.tenantQueryCountMax,
        waitingPerTenant: configuration.tenantQueryWaitingCountMax, running: configuration.queryCountMax,
        waitSeconds: configuration.querySecondsMax))
    let lanes = TenantLanes(laneThreadsMax: Assembly.coreCount, threadsMax: 8 * Assembly.coreCount)
    search = SearchService(
      pool: pool, indexes: indexes,
      limits: SearchLimits(seconds: configuration.querySecondsMax, byteCountMax: configuration.queryByteCountMax),
      gate: gate, executor: { lanes.executor(for: $0) }, now: now)
    analyses = AnalysisService(
      pool: pool, indexes: indexes, search: search.inBackground, executor: executor, now: now, logger: logger)
    watch = WatchService(pool: pool, indexes: indexes, search: search.inBackground, now: now, logger: logger)
    let transport = modelTransport
    reports = ReportService(
      pool: pool, watch: watch, analyses: analyses, transport: { try await transport.send($0) },
      owner: configuration.allowsPrivateWebhooks || configuration.isDevelopment ? .operators : .tenant, now: now,
      logger: logger)
    narratives = Narratives(
      pool: pool, analyses: analyses,
      model: LanguageModelService(
        transport: { try await transport.send($0) }, now: now, random: SystemRandomNumberGenerator()),
      settings: configuration.languageModel, applianceTokensMax: configuration.languageModelTokensMax, now: now)
    let ingestMetrics = ingest.metrics
    let connections = connections
    routes = Routes(
      WebServices(
        ingest: ingest, search: search, analyses: analyses, watch: watch, reports: reports, narratives: narratives,
        access: access, metrics: metrics,
        limits: WebLimits(compressedBodyByteCountMax: configuration.compressedBodyByteCountMax),
        version: Timberline.version, isDevelopment: configuration.isDevelopment, now: now,
        checks: [("disk", Assembly.diskCheck(configuration.dataFolder))],
        collectMetrics: {
          ingestMetrics.render() + OwnMetrics.render(gate.counts, connectionCount: connections.count)
            + OwnMetrics.render(openTenantCount: await pool.openTenants.count, dataFolder: configuration.dataFolder)
        }
      ))
  }

  /// The HTTP server.
  ///
  /// - Parameter onRunning: Told the port in use once connections are taken.
  func server(onRunning: @escaping @Sendable (Int) async -> Void) -> some ApplicationProtocol {
    var httpLogger = logger
    if logger.logLevel < .notice { httpLogger.logLevel = .notice }
    return Application(
      router: routes.router(access: access, metrics: metrics, connections: connections),
      server: .http1(
        configuration: .init(
          additionalChannelHandlers: [ConnectionGuard(connections, stallSeconds: configuration.stallSecondsMax)],
          idleTimeout: .seconds(75))),
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.listen.host, port: configuration.listen.port), serverName: nil,
        availableConnectionsDelegate: MaximumAvailableConnections(configuration.connectionCountMax)),
      onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
      logger: httpLogger)
  }

  /// Flushes every tenant and lets go of the folder.
  func close() async {
    await analyses.finish()
    await pool.closeAll()
    await indexes.finish()
    await control.close()
    // Nothing is lost with connections that cannot be closed: the process is about to end.
    try? await modelTransport.shutdown()
  }

  // MARK: The folder, without opening it

  /// Whether `path` holds Timberline's files.
  static func isDataFolder(_ path: String) -> Bool { Glibc.access(path + "/control.sqlite", F_OK) == 0 }

  /// Whether a process holds the folder's lock.
  static func isLocked(_ path: String) -> Bool {
    let descriptor = open(path + "/lock", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { Glibc.close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }

  // MARK: Models

  /// What has its say in searches by meaning beside the built-in model: the endpoint that is configured, else the model
  /// file that was added last. A damaged file does not keep the server from starting.
  private static func secondStage(
    _ configuration: Configuration, _ transport: AsyncHTTPTransport, _ logger: Logger
  ) throws -> SecondStageModel? {
    let model: SecondStageModel?
    if let settings = configuration.embedding {
      model = try EmbeddingEndpoint(settings: settings, transport: { try await transport.send($0) })
        .secondStage(now: now, logger: logger)
    } else {
      do {
        model = try ModelFolder(dataFolder: configuration.dataFolder).load()
      } catch {
        logger.error("a model is not used; `timberline model add` copies it anew", metadata: ["error": "\(error)"])
        return nil
      }
    }
    if let model { logger.info("search by meaning uses a larger model", metadata: ["model": "\(model.identity)"]) }
    return model
  }

  // MARK: Watching itself

  private static var coreCount: Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Below 64 MiB there is no room for the next merge of blocks.
  private static func diskCheck(_ folder: String) -> @Sendable () async -> String? {
    {
      guard let free = OwnMetrics.freeByteCount(of: folder) else { return "the data folder can't be read" }
      return free < 64 << 20 ? "\(free >> 20) MiB are left on the disk" : nil
    }
  }
}

/// Storage's upkeep as a service: closes idle tenants, packs old heads, merges, and ends with everything flushed.
struct StorageService: Service {
  let assembly: Assembly

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await assembly.pool.run(clock: ContinuousClock())
    }
    await assembly.close()
  }
}

/// The watch as a service: a look each minute at what the minute before brought.
struct InsightService: Service {
  let assembly: Assembly

  func run() async throws {
    await cancelWhenGracefulShutdown {
      async let reports: Void = assembly.reports.run()
      await assembly.watch.run()
      await reports
    }
  }
}
