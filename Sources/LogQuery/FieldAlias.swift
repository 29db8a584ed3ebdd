/// Short names for what shippers call `kubernetes.…` and the like, accepted wherever a query names a field or a
/// stream label.
///
/// A short name stands for the first of its candidates that is not empty. The parser writes that out in filters;
/// whoever hands records to pipes fills in a short name that the pipes ask for and the record lacks.
package enum FieldAlias {
  /// The fields `name` may stand for: itself, then others in order of preference.
  package static func candidates(for name: String) -> [String] {
    switch name {
    case "namespace": ["namespace", "kubernetes.namespace_name", "k8s.namespace.name"]
    case "pod": ["pod", "kubernetes.pod_name", "k8s.pod.name"]
    case "container": ["container", "kubernetes.container_name", "k8s.container.name"]
    case "host": ["host", "kubernetes.host", "host.name", "hostname", "k8s.node.name"]
    case "service":
      ["service", "service.name", "kubernetes.labels.app.kubernetes.io/name", "kubernetes.labels.app", "app"]
    default: [name]
    }
  }

  /// The short names there are.
  package static let names = ["namespace", "pod", "container", "host", "service"]

  /// `name`'s test as plain field filters: true if the value of any candidate passes, or, for a test that an empty
  /// value passes, if all do.
  package static func expand(_ name: String, _ test: ValueTest, matchesEmpty: Bool) -> Filter {
    let filters = candidates(for: name).map { Filter.field($0, test) }
    if filters.count == 1 { return filters[0] }
    return matchesEmpty ? .and(filters) : .or(filters)
  }
}
