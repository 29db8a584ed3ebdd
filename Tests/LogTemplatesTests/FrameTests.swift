import Domain
import LogTemplates
import Testing

/// The head of a line is no part of its pattern.
@Suite struct FrameTests {
  @Test(arguments: [
    // Columns and bars
    "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: Disk is full",
    "VAPI 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 kernel: Disk is full",
    "- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872 R02-M1-N0-C:J12-U11 RAS KERNEL INFO Disk is full",
    "[10.30 16:49:06] chrome.exe *64 - Disk is full",
    "20260318-13:44:27:606|Shop_Cart|30002312|Disk is full",
    "[10.30 16:49:06] git-remote-https.exe - Disk is full",
    "081109 203615 148 INFO dfs.DataNode$PacketResponder: Disk is full",
    "2016-09-28 04:30:30, Info                  CBS    Disk is full",
    "2026-03-18 13:44:27.123 | INFO     | shop.cart:add:12 - Disk is full",
    // Java
    "2026-03-18 13:44:27,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:Election@774] - Disk is full",
    "2026-03-18 13:44:27,123 INFO [main] org.example.v2.app.Main: Disk is full",
    "2026-03-18 13:44:27.123  INFO 12345 --- [           main] c.e.shop.Main            : Disk is full",
    "13:44:27.123 [main] WARN  com.example.Main - Disk is full",
    "17/06/09 20:10:40 INFO executor.Backend: Disk is full",
    // Python, Ruby, Go, C
    "2026-03-18 13:44:27,123 - shop - WARNING - Disk is full",
    "2026-03-18 00:00:00.008 25746 INFO nova.wsgi.server [req-38101a0b-2096-447d-96ea-a692162415ae 113d3a9 - - -] Disk is full",
    "nova-api.log.1.2026-03-18_13:53:08 2026-03-18 00:00:00.008 25746 INFO nova.wsgi.server [-] Disk is full",
    "I, [2026-03-18T13:44:27.123456 #1234]  INFO -- : Disk is full",
    "INFO 2026-03-18 13:44:27,123 Disk is full",
    "[2026-03-18T13:44:27Z INFO  shop::cart] Disk is full",
    "2026/03/18 13:44:27 main.go:12: Disk is full",
    "E0318 13:44:27.320123       1 controller.go:12] Disk is full",
    // Pairs
    "ts=2026-03-18T13:44:27.123Z level=info caller=main.go:52 msg=\"Disk is full\" version=2.1",
    "time=\"2026-03-18T13:44:27Z\" level=error msg=\"Disk is full\" host=db-3",
    // Systems
    "2026-03-18 13:44:27.000 UTC [1234] LOG:  Disk is full",
    "1:M 18 Mar 2026 13:44:27.123 * Disk is full",
    "Mar 18 13:44:27 host-10-105-160-95 kernel[0]: Disk is full",
    "Mar 18 13:44:27 studio Some App Helper[1231]: Disk is full",
    "<34>Mar 18 13:44:27 web sshd[4242]: Disk is full",
    "03-18 13:44:27.811  1702  2395 D WindowManager: Disk is full",
  ])
  func `the pattern of a line begins where its message does`(line: String) {
    var miner = MinerFixture()

    miner.insert([line])

    #expect(miner.patternTexts == ["Disk is full"])
  }

  @Test(arguments: [
    "Connection lost: no answer after 3 tries", "Error: node-3 is gone", "INFO is a level", "12 of 17 jobs are done",
    "node-3 restarted", "GET /a/7 took 35ms", "started at 13:44:27 by root",
  ])
  func `a message without a head keeps its words`(message: String) {
    var miner = MinerFixture()

    miner.insert([message])

    let words = Set(message.split(separator: " ").filter { $0.allSatisfy(\.isLetter) })
    let shown = Set(miner.patternTexts[0].split(separator: " "))
    #expect(words.isSubset(of: shown), "\(miner.patternTexts)")
  }

  @Test(arguments: [
    (
      "[Sun Dec 04 05:15:09 2005] [error] [client 222.166.160.184] Directory index forbidden",
      "[client <*>] Directory index forbidden"
    ),
    (
      "2026-03-18 00:00:04.500 2931 INFO nova.manager [req-3ea4052c - -] [instance: b9000564] VM Started",
      "[instance: <*>] VM Started"
    ),
    ("DHCPDISCOVER from 00:11:43:e3:ba:c3 via eth1", "DHCPDISCOVER from <*> via <*>"),
    ("onExtend:1514038530000 14 0 4", "onExtend:<*> <*> <*> <*>"),
    ("a=1 b=2 msg=x", "a=<*> b=<*> msg=x"),
  ])
  func `what belongs to the message stays`(line: String, pattern: String) {
    var miner = MinerFixture()

    miner.insert([line])

    #expect(miner.patternTexts == [pattern])
  }

  @Test func `a host that was seen before a process is known before a program, too`() {
    var miner = MinerFixture()

    miner.insert([
      "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: check pass", "Jun 14 15:16:02 combo logrotate: ALERT exited",
      "Jun 14 15:16:03 combo syslogd 1.4.1: restart.", "Jun 14 15:16:04 Connection lost: retry",
    ])

    #expect(miner.patternTexts == ["check pass", "ALERT exited", "restart.", "Connection lost: retry"])
  }

  @Test func `columns that many kinds of lines share are a head, also of those read before that was known`() {
    var miner = MinerFixture()
    let messages = [
      "running", "blocked", "not responding", "ambient=31", "Link error", "Link ok", "boot (command 1902)",
      "halt (command 7)", "Fan speeds ( 3552 3534 )", "closing", "configured out", "refresh due", "critical", "warning",
    ]

    var assigned: [UInt32: UInt32] = [:]
    var merged: [UInt32] = []
    for (index, message) in messages.enumerated() {
      let changes = miner.insert([
        "13\(index)681 node-\(index) unix.hw state.\(message.first!)x 107780\(index)742 1 \(message)"
      ])
      for assignment in changes.assignments { assigned[assignment.template] = assignment.pattern }
      merged += changes.merges.map(\.old)
    }

    #expect(miner.patternTexts.contains("running"))
    #expect(miner.patternTexts.contains("warning"))
    #expect(!miner.patternTexts.contains { $0.contains("unix.hw") })
    #expect(!merged.isEmpty)
    for (template, pattern) in assigned { #expect(miner.miner.pattern(ofTemplate: template) == pattern) }
  }

  @Test(arguments: [
    (
      "Charge failed for order 7\njava.io.IOException: closed\n\tat com.example.Shop.charge(Shop.java:12)\n\tat a.B.c(B.java:1)",
      "Charge failed for order <*> at com.example.Shop"
    ),
    (
      "Unhandled error\n    at charge (/srv/shop.js:12:7)\n    at run (/srv/run.js:1:2)", "Unhandled error at charge"
    ),
    (
      "Traceback (most recent call last):\n  File \"/srv/run.py\", line 3, in run\n  File \"/srv/shop.py\", line 12, in charge\nValueError: no",
      "Traceback (most recent call last): at charge"
    ),
    (
      "panic: closed\n\ngoroutine 1 [running]:\nmain.charge(0x1, 0x2)\n\t/srv/main.go:12 +0x1d",
      "panic: closed at main.charge"
    ),
    (
      #"{"level": "error", "msg": "Charge failed\n\tat com.example.Shop.charge(Shop.java:12)"}"#,
      "Charge failed at com.example.Shop"
    ),
  ])
  func `a stack trace is its first line and where it comes from`(message: String, pattern: String) {
    var miner = MinerFixture()

    miner.insert([message])

    #expect(miner.patternTexts == [pattern])
  }
}
