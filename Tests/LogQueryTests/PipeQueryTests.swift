import Domain
import Testing

@testable import LogQuery

/// Pipes as people write them.
@Suite struct PipeQueryTests {
  private static let records = [
    #"_time=2024-01-01T00:00:05Z severity=error host=a status=500 took=1.5s size=10KiB ip=10.0.0.1 _msg=GET\s/a\sfailed\suser=kim"#,
    #"_time=2024-01-01T00:00:40Z severity=info host=b status=200 took=20ms size=2KiB ip=10.0.0.2 _msg=GET\s/b\sok\suser=lee"#,
    #"_time=2024-01-01T00:01:10Z severity=info host=a status=200 took=30ms size=3KiB ip=10.0.1.3 _msg=PUT\s/b\sok\suser=kim"#,
    #"_time=2024-01-01T00:02:00Z severity=error host=b status=502 took=3s size=1KiB ip=10.0.1.4 _msg=GET\s/a\sfailed\suser=lee"#,
  ].map(row)

  @Test(arguments: [
    ("* | fields host, status | limit 2", ["host=a status=500", "host=b status=200"]),
    ("* | count()", ["count(*)=4"]),
    (
      "* | stats by (host) count() as hits, max(took) as slowest | sort by (host)",
      ["host=a hits=2 slowest=1.5s", "host=b hits=2 slowest=3s"]
    ),
    (
      "* | stats by (_time:1m) count() n",
      ["_time=2024-01-01T00:00:00Z n=2", "_time=2024-01-01T00:01:00Z n=1", "_time=2024-01-01T00:02:00Z n=1"]
    ),
    ("* | stats by (_time:day offset 2h) count() n", ["_time=2023-12-31T22:00:00Z n=4"]),
    ("* | stats by (_time:month) count() n", ["_time=2024-01-01T00:00:00Z n=4"]),
    ("* | stats by (status:100) count() n | sort by (status desc)", ["status=500 n=2", "status=200 n=2"]),
    ("* | stats by (ip:/24) count() n", ["ip=10.0.0.0 n=2", "ip=10.0.1.0 n=2"]),
    ("* | stats count() if (severity:error) bad, count() total | math bad / total as part", ["bad=2 total=4 part=0.5"]),
    ("* | stats sum(size) s, avg(took) t", ["s=16384 t=1137500000"]),
    ("* | stats median(status) m, quantile(0.9, status) q", ["m=500 q=502"]),
    ("* | stats uniq_values(host) v, count_uniq(host, status) n", [#"v=["a","b"] n=4"#]),
    ("* | stats row_max(took, host) r", [#"r={"host":"b"}"#]),
    ("* | sort by (took desc) limit 2 | fields took", ["took=3s", "took=1.5s"]),
    (
      "* | sort by (host, size desc) rank as place | fields host, size, place",
      ["host=a size=10KiB place=1", "host=a size=3KiB place=2", "host=b size=2KiB place=3", "host=b size=1KiB place=4"]
    ),
    ("* | first 1 by (took) partition by (host) | fields took", ["took=30ms", "took=20ms"]),
    ("* | last 1 by (_time) | fields host", ["host=b"]),
    ("* | uniq by (severity) with hits", ["severity=error hits=2", "severity=info hits=2"]),
    ("* | top 1 by (status)", ["status=200 hits=2"]),
    ("* | field_values host", ["host=a hits=2", "host=b hits=2"]),
    ("* | fields host, ip | field_names", ["name=host hits=4", "name=ip hits=4"]),
    ("* | extract 'user=<user>' | uniq by (user) | sort by (user)", ["user=kim", "user=lee"]),
    (#"* | extract_regexp "(?P<verb>[A-Z]+) (?P<path>/\\w)" | top 1 by (verb, path)"#, ["verb=GET path=/a hits=2"]),
    ("* | format '<severity> at <host>' as where | limit 1 | fields where", ["where=error\\sat\\sa"]),
    ("* | math round(took, 1e9) as ns | format '<duration:ns>' as took | limit 1 | fields took", ["took=2s"]),
    (
      "* | replace ('GET', 'get') | replace_regexp ('user=(.)\\\\w+', 'u:$1') | limit 1 | fields _msg",
      ["_msg=get\\s/a\\sfailed\\su:k"]
    ),
    ("* | len(_msg) as n | stats max(n) m", ["m=22"]),
    ("* | filter severity:error status:>500 | fields status", ["status=502"]),
    ("* | where ip:ipv4_range('10.0.1.0/24') | count() n", ["n=2"]),
    ("* | copy host as h | rename h as node | delete host | fields node, host | limit 1", ["node=a"]),
    ("* | unpack_logfmt from _msg fields (user) | fields user | offset 3", ["user=lee"]),
  ])
  func `a query gives its answer`(text query: String, expected: [String]) throws {
    let query = try QueryParser(now: pipeTestNow).parse(query)

    let rows = try run(query.pipes, on: Self.records).rows.map { text($0) }
    #expect(rows == expected)

    // What a store would read for it is enough.
    if case .only(let needed) = PipeChain.neededFields(by: query.pipes) {
      let narrow = Self.records.map { row in Row(row.fields.filter { needed.contains($0.name) }) }
      #expect(try run(query.pipes, on: narrow).rows.map { text($0) } == expected)
    }
  }
}
