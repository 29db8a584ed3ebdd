import Testing

@testable import Detection

@Suite struct LifecycleFactTests {
  @Test(
    arguments: [
      ("OOMKilled", [.outOfMemory]),
      ("Back-off restarting failed container <*>", [.crashLoop]),
      ("CrashLoopBackOff", [.crashLoop]),
      ("panic: runtime error: index out of range", [.panic]),
      ("container exited with code 137", [.abnormalExit]),
      ("process exited with code 0", []),
      ("no panic", []),
      ("Readiness probe failed: HTTP <*>", [.probeFailure]),
      ("The node was low on resource: pod evicted", [.eviction]),
      ("Segmentation fault (core dumped)", [.crash]),
      ("all is well", []),
    ] as [(String, [LifecycleFact])])
  func `facts are found in what a text says`(text: String, facts: [LifecycleFact]) {
    #expect(LifecycleFact.facts(in: text) == facts)
  }
}
