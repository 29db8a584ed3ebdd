import Domain

extension Stream {
  /// Who wrote the stream, as people call it: the container, else the pod without the parts that change at each rollout, else a
  /// service or source.
  var workload: String {
    for name in ["kubernetes.container_name", "container", "service", "service.name", "app"] {
      if let value = label(name), !value.isEmpty { return String(decoding: value, as: UTF8.self) }
    }
    for name in ["kubernetes.pod_name", "pod"] {
      if let value = label(name), !value.isEmpty { return Stream.withoutSuffix(String(decoding: value, as: UTF8.self)) }
    }
    for name in ["source", "host", "hostname"] {
      if let value = label(name), !value.isEmpty { return String(decoding: value, as: UTF8.self) }
    }
    return "unlabeled"
  }

  /// `payments-7d9f5b6c4-x2x9p` is of the workload `payments`. Kubernetes draws its suffixes from digits and letters that
  /// make no words: no vowels.
  private static func withoutSuffix(_ pod: String) -> String {
    var parts = pod.split(separator: "-")
    func isSuffix(_ part: Substring) -> Bool {
      part.count >= 5 && part.count <= 10 && part.contains(where: \.isNumber) || part.allSatisfy(\.isNumber)
        || part.count == 5 && part.allSatisfy("bcdfghjklmnpqrstvwxz".contains)
    }
    while parts.count > 1, let last = parts.last, isSuffix(last) { parts.removeLast() }
    return parts.joined(separator: "-")
  }
}
