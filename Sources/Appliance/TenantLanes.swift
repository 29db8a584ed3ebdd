import Domain

#if canImport(Glibc)
  import Glibc
#endif

/// Threads for queries, shared out by tenant: each has a lane of its own with its jobs in a row, free threads take from the lanes in turn,
/// and one lane never holds more threads than there are cores. A scan runs for long without a pause, so a tenant that fills its lane
/// must leave a thread to the others; the system's scheduler then shares the cores between the threads that run.
final class TenantLanes: @unchecked Sendable {
  // Sendable: everything that changes is touched only under the condition's lock.
  private struct Lane {
    var jobs: [(job: UnownedJob, executor: LaneExecutor)] = []
    var next = 0
    var running = 0

    var hasJobs: Bool { next < jobs.count }

    mutating func take() -> (job: UnownedJob, executor: LaneExecutor) {
      let entry = jobs[next]
      next += 1
      if next == jobs.count {
        jobs.removeAll(keepingCapacity: true)
        next = 0
      } else if next >= 256, next * 2 >= jobs.count {
        jobs.removeFirst(next)
        next = 0
      }
      return entry
    }
  }

  private var lanes: [TenantID: Lane] = [:]
  /// Tenants with jobs, the one whose turn is next first.
  private var turns: [TenantID] = []
  private var threadCount = 0
  private var idleCount = 0
  private let laneThreadsMax: Int
  private let threadsMax: Int
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// Lives as long as the process. Threads are made when they are first needed.
  init(laneThreadsMax: Int, threadsMax: Int) {
    self.laneThreadsMax = laneThreadsMax
    self.threadsMax = max(laneThreadsMax, threadsMax)
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  /// Where the tenant's queries run.
  func executor(for tenant: TenantID) -> any TaskExecutor { LaneExecutor(lanes: self, tenant: tenant) }

  fileprivate func enqueue(_ job: UnownedJob, _ executor: LaneExecutor) {
    pthread_mutex_lock(mutex)
    let hadJobs = lanes[executor.tenant]?.hasJobs ?? false
    lanes[executor.tenant, default: Lane()].jobs.append((job, executor))
    if !hadJobs { turns.append(executor.tenant) }
    var needsThread = false
    if idleCount > 0 {
      pthread_cond_signal(condition)
    } else if threadCount < threadsMax, (lanes[executor.tenant]?.running ?? 0) < laneThreadsMax {
      threadCount += 1
      needsThread = true
    }
    pthread_mutex_unlock(mutex)
    if needsThread { startThread() }
  }

  private func startThread() {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let status = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        // Taking in records goes before answering; the kernel's thread, not the process, is what 0 means here.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 2)
        Unmanaged<TenantLanes>.fromOpaque(context).takeRetainedValue().work()
        return nil
      }, context.toOpaque())
    if status == 0 {
      pthread_detach(thread)
    } else {
      context.release()
      pthread_mutex_lock(mutex)
      threadCount -= 1
      let isAlone = threadCount == 0
      pthread_mutex_unlock(mutex)
      precondition(!isAlone, "the system has no thread left for computing")
    }
  }

  private func work() {
    pthread_mutex_lock(mutex)
    while true {
      guard let place = turns.firstIndex(where: { (lanes[$0]?.running ?? 0) < laneThreadsMax }) else {
        idleCount += 1
        pthread_cond_wait(condition, mutex)
        idleCount -= 1
        continue
      }
      let tenant = turns.remove(at: place)
      guard let entry = lanes[tenant]?.take() else { continue }
      lanes[tenant]?.running += 1
      if lanes[tenant]?.hasJobs == true { turns.append(tenant) }
      pthread_mutex_unlock(mutex)
      entry.job.runSynchronously(on: entry.executor.asUnownedTaskExecutor())
      pthread_mutex_lock(mutex)
      lanes[tenant]?.running -= 1
      if let lane = lanes[tenant], lane.running == 0, !lane.hasJobs { lanes[tenant] = nil }
    }
  }
}

/// One tenant's lane, as tasks know it.
private final class LaneExecutor: TaskExecutor {
  let lanes: TenantLanes
  let tenant: TenantID

  init(lanes: TenantLanes, tenant: TenantID) {
    self.lanes = lanes
    self.tenant = tenant
  }

  func enqueue(_ job: consuming ExecutorJob) { lanes.enqueue(UnownedJob(job), self) }
}
