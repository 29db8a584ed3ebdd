#if canImport(Glibc)
  import Glibc
#endif

/// A fixed number of threads for work that holds a core for more than a few milliseconds (parsing, scanning, building graphs), so that
/// it never takes the threads that serve sockets.
final class ComputeExecutor: TaskExecutor, @unchecked Sendable {
  // Sendable: the queue is touched only under the condition's lock.
  private var queue: [UnownedJob] = []
  private var head = 0
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// Lives as long as the process.
  init(threadCount: Int) {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    for _ in 0..<threadCount {
      var thread = pthread_t()
      let context = Unmanaged.passRetained(self).toOpaque()
      let status = pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          Unmanaged<ComputeExecutor>.fromOpaque(context).takeRetainedValue().work()
          return nil
        }, context)
      precondition(status == 0, "the system has no thread left for computing")
      pthread_detach(thread)
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pthread_mutex_lock(mutex)
    queue.append(job)
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  private func work() {
    while true {
      pthread_mutex_lock(mutex)
      while head == queue.count { pthread_cond_wait(condition, mutex) }
      let job = queue[head]
      head += 1
      if head == queue.count {
        queue.removeAll(keepingCapacity: true)
        head = 0
      } else if head >= 1024, head * 2 >= queue.count {
        // A queue that is never empty must not keep the jobs that are done.
        queue.removeFirst(head)
        head = 0
      }
      pthread_mutex_unlock(mutex)
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
