import Testing

@testable import Appliance

@Suite struct ListenAddressTests {
  @Test(arguments: [
    ("127.0.0.1:7300", "127.0.0.1", 7300), ("localhost:0", "localhost", 0), ("[::1]:7300", "::1", 7300),
    (":7300", "0.0.0.0", 7300), ("[::]:80", "::", 80), ("logs.example.com:65535", "logs.example.com", 65_535),
  ])
  func `a host and a port are an address`(text: String, host: String, port: Int) throws {
    let address = try ListenAddress(text)

    #expect(address.host == host)
    #expect(address.port == port)
  }

  @Test(arguments: [
    "", "7300", "localhost", "localhost:", "localhost:x", "localhost:-1", "localhost:+80", "localhost:65536",
    "::1:7300",
    "[::1:7300", "::1]:7300", "[]:7300", "[localhost]:7300", "a b:7300", "http://localhost:7300", "localhost:7300/",
    "localhost:99999999999999999999",
  ])
  func `anything else says what was expected`(text: String) {
    let error = #expect(throws: InvalidSetting.self) { try ListenAddress(text) }

    #expect(error?.expected == "HOST:PORT, such as 127.0.0.1:7300 or [::1]:7300")
  }

  @Test(arguments: ["127.0.0.1:1", "127.255.3.4:1", "localhost:1", "[::1]:1"])
  func `loopback is this machine alone`(text: String) throws {
    #expect(try ListenAddress(text).isLoopback)
  }

  @Test(arguments: [
    ":1", "0.0.0.0:1", "10.0.0.1:1", "128.0.0.1:1", "[::]:1", "127.0.0.1.example.com:1", "127.example.com:1",
    "localhost.example.com:1", "127.0.0:1", "127.0.0.256:1", "[::ffff:10.0.0.1]:1", "[fe80::1]:1",
  ])
  func `whatever else may reach further`(text: String) throws {
    #expect(try !ListenAddress(text).isLoopback)
  }

  @Test(arguments: [
    ("127.0.0.1:0", "http://127.0.0.1:81"), ("[::1]:0", "http://[::1]:81"), (":0", "http://localhost:81"),
    ("[::]:0", "http://localhost:81"),
  ])
  func `an address is shown as a browser takes it`(text: String, url: String) throws {
    #expect(try ListenAddress(text).url(port: 81) == url)
  }
}
