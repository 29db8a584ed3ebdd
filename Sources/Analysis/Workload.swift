import Detection
import Domain

extension Stream {
  /// What many images call their only container says nothing of what runs in it.
  private static let genericContainers: Set<String> = ["app", "application", "container", "main", "server", "service"]

  /// Who wrote the stream, as people call it: the container, unless that has a name like any, else what the pod is called
  /// after, else a service or source.
  var workload: String {
    func value(_ names: [String]) -> String? {
      for name in names {
        if let value = label(name), !value.isEmpty { return String(decoding: value, as: UTF8.self) }
      }
      return nil
    }
    if let container = value(["kubernetes.container_name", "container"]), !Stream.genericContainers.contains(container)
    {
      return container
    }
    if let service = value(["service", "service.name", "app"]) { return service }
    if let pod = value(["kubernetes.pod_name", "pod"]) { return WorkloadName.name(ofPod: pod) }
    return value(["kubernetes.container_name", "container", "source", "host", "hostname"]) ?? "unlabeled"
  }
}
