import Search

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What the process knows of itself, as Prometheus text.
enum OwnMetrics {
  static func render(openTenantCount: Int, dataFolder: String) -> String {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds =
      Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    var text = """
      # HELP timberline_build_info The version that runs.
      # TYPE timberline_build_info gauge
      timberline_build_info{version="\(Timberline.version)"} 1
      # HELP timberline_open_tenants Tenant files that are open.
      # TYPE timberline_open_tenants gauge
      timberline_open_tenants \(openTenantCount)
      # HELP process_cpu_seconds_total User and system CPU time.
      # TYPE process_cpu_seconds_total counter
      process_cpu_seconds_total \(seconds)
      # HELP process_resident_memory_max_bytes Largest resident memory so far.
      # TYPE process_resident_memory_max_bytes gauge
      process_resident_memory_max_bytes \(usage.ru_maxrss * 1024)

      """
    if let free = freeByteCount(of: dataFolder) {
      text += """
        # HELP timberline_disk_free_bytes Space left where the data folder is.
        # TYPE timberline_disk_free_bytes gauge
        timberline_disk_free_bytes \(free)

        """
    }
    return text
  }

  /// What waits on the server: queries and connections.
  static func render(_ queries: QueryGate.Counts, connectionCount: Int) -> String {
    """
    # HELP timberline_queries_running Queries that run.
    # TYPE timberline_queries_running gauge
    timberline_queries_running \(queries.running)
    # HELP timberline_queries_waiting Queries that wait for their tenant's turn.
    # TYPE timberline_queries_waiting gauge
    timberline_queries_waiting \(queries.waiting)
    # HELP timberline_queries_refused_total Queries that were answered 429.
    # TYPE timberline_queries_refused_total counter
    timberline_queries_refused_total \(queries.refused)
    # HELP timberline_connections Connections that are open.
    # TYPE timberline_connections gauge
    timberline_connections \(connectionCount)

    """
  }

  /// Nil if the folder can't be asked.
  static func freeByteCount(of folder: String) -> UInt64? {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return nil }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }
}
