// swift-tools-version: 6.2
// The rooms of the house, roof first. An arrow (a dependency) runs only downward; docs/concepts/architecture.md
// says what each room is for.
import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  // Debug builds, which the tests run on, check at run time that no two accesses to a variable overlap; in the release
  // build these checks cost a tenth of a scan.
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// A room written in Swift.
func room(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

/// The tests of a room.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = [])
  -> Target
{
  .testTarget(
    name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, exclude: exclude, resources: resources,
    swiftSettings: swiftSettings)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
  name: "timberline",
  products: [.executable(name: "timberline", targets: ["Appliance"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    // Roof
    .executableTarget(
      name: "Appliance",
      dependencies: [
        "Web", "Evaluation", "Analysis", "Ingest", "Search", "Identity", "Indexing", "Storage", "LogParsing",
        "LogQuery", "Domain", argumentParser, asyncHTTPClient, hummingbird, logging, serviceLifecycle,
      ],
      swiftSettings: swiftSettings,
      // scripts/setup.sh fills this folder with the archives of the C libraries, which the linker then takes instead of the
      // shared ones: the binary needs nothing but the C library at run time.
      linkerSettings: [
        .unsafeFlags(["-L\(Context.packageDirectory)/.build/static", "-Xclang-linker", "-static-libgcc"])
      ]),

    // Face
    // Storage for its errors alone, which become problem documents here; Indexing for those of patterns.
    room(
      "Web",
      [
        "Analysis", "Ingest", "Search", "Identity", "Indexing", "Storage", "CWebAssets", "Domain", hummingbird, logging,
      ],
      exclude: ["UI"]),

    // The crafts of log intelligence, run over labelled data: what `timberline eval` and `make eval` measure.
    room(
      "Evaluation",
      ["LogParsing", "LogTemplates", "Embedding", "Detection", "Redaction", "Domain", "CZlib", argumentParser]),

    // Promises
    room(
      "Analysis",
      [
        "Search", "Indexing", "Storage", "Detection", "Redaction", "Embedding", "Domain", asyncHTTPClient, crypto,
        logging,
      ]),
    room("Ingest", ["Storage", "LogParsing", "LogTemplates", "Domain", "CZstd", "CZlib", logging]),
    room("Search", ["Indexing", "Storage", "LogQuery", "LogBlocks", "Domain", "CKernels", logging]),

    // Services
    room("Identity", ["Storage", "Domain", "CKernels", crypto]),
    room("Indexing", ["Storage", "LogTemplates", "Embedding", "VectorIndex", "Domain", logging]),

    // Store
    room("Storage", ["LogBlocks", "Domain", "CKernels", grdb, logging]),

    // Crafts: pure, none imports another
    room("LogParsing", ["Domain", "CKernels"]),
    room("LogTemplates", ["Domain", "CKernels"]),
    room("LogBlocks", ["Domain", "CKernels", "CZstd"]),
    room("LogQuery", ["Domain", "CKernels"]),
    room("Embedding", ["Domain", "CEmbeddingModel", "CKernels"]),
    room("Detection", ["Domain"]),
    room("Redaction", ["Domain"]),
    room("VectorIndex", ["CKernels"]),

    // Ground
    room("Domain", []),
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),
    .target(name: "CEmbeddingModel", exclude: ["static256"], cSettings: [.unsafeFlags(["-std=c23"])]),
    .executableTarget(
      name: "EvaluationTool", dependencies: ["Evaluation"], path: "Tests/Benchmarks/evaluation",
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "VectorBench", dependencies: ["VectorIndex"], path: "Tests/Benchmarks/vectors/VectorBench",
      swiftSettings: swiftSettings),
    .target(name: "CWebAssets", exclude: ["dist"], cSettings: [.unsafeFlags(["-std=c23"])]),
    // Without pkg-config, whose search path would come before the linker's folder of archives above.
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),

    // Tests
    tests("CKernels", []),
    tests("LogParsing", ["Domain"]),
    tests("LogTemplates", ["Domain"]),
    tests("LogBlocks", ["Domain", "CKernels"]),
    tests("LogQuery", ["Domain"]),
    tests("Embedding", ["Domain"]),
    tests("VectorIndex", ["CKernels"]),
    tests("Detection", ["Domain"]),
    tests("Redaction", ["Domain"]),
    tests("Evaluation", ["LogParsing", "LogTemplates", "Embedding", "Detection", "Redaction", "Domain"]),
    tests(
      "Web",
      [
        "TestSupport", "Analysis", "CWebAssets", "Domain", "Identity", "Indexing", "Ingest", "Search", "Storage",
        logging,
      ]),
    tests("Storage", ["LogBlocks", "Domain", grdb, logging]),
    .target(
      name: "TestSupport", dependencies: ["Indexing", "Storage", "LogParsing", "LogTemplates", "Domain", logging],
      path: "Tests/TestSupport", swiftSettings: swiftSettings),
    tests("Domain", []),
    tests("Identity", ["TestSupport", "Storage", "Domain", logging]),
    tests("Indexing", ["TestSupport", "Storage", "Domain", logging]),
    tests("Ingest", ["TestSupport", "Storage", "Search", "Indexing", "Domain", "CZlib", "CZstd", logging]),
    tests("Search", ["TestSupport", "Indexing", "Storage", "LogQuery", "LogBlocks", "Domain", logging]),
    tests(
      "Analysis",
      [
        "TestSupport", "Search", "Indexing", "Storage", "Detection", "Redaction", "Embedding", "Domain", logging,
      ]),
    tests("Appliance", ["TestSupport", "LogParsing", "Domain"]),
    .testTarget(name: "ArchitectureTests", swiftSettings: swiftSettings),
  ]
)
