package import NIOCore
package import NIOHTTPTypes
import Synchronization

/// The connections that are open, by their channels.
package final class ClientConnections: Sendable {
  private let open = Mutex<[ObjectIdentifier: ClientConnection]>([:])

  package init() {}

  package var count: Int { open.withLock { $0.count } }

  func connection(of channel: any Channel) -> ClientConnection? { open.withLock { $0[ObjectIdentifier(channel)] } }

  fileprivate func add(_ connection: ClientConnection, _ channel: any Channel) {
    open.withLock { $0[ObjectIdentifier(channel)] = connection }
  }

  fileprivate func remove(_ channel: any Channel) {
    _ = open.withLock { $0.removeValue(forKey: ObjectIdentifier(channel)) }
  }
}

/// Watches one connection: tells those who work for it when it closes, and closes it when its client holds up the server.
///
/// A client is given up when it takes nothing of an answer for `stallSeconds`, or when less than a kilobyte a second comes of a body over as
/// long. One that has closed its half of the connection gets what can be answered within a second; what takes longer ends with it, for
/// most that do so have gone.
package final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  package typealias InboundIn = HTTPRequestPart
  package typealias InboundOut = HTTPRequestPart
  package typealias OutboundIn = HTTPResponsePart
  package typealias OutboundOut = HTTPResponsePart

  private static let uploadBytesPerSecond = 1024

  private let connections: ClientConnections
  private let connection = ClientConnection()
  private let stall: TimeAmount
  private var check: Scheduled<Void>?
  /// Writes that the system has not taken, and when it last took one or had none.
  private var pendingWriteCount = 0
  private var lastWrite = NIODeadline.now()
  /// Requests without an answer.
  private var openRequestCount = 0
  private var isReadingRequest = false
  /// Whether the server waits for more from the client, and since when, within this round of watching.
  private var waitsSince: NIODeadline?
  private var waited = TimeAmount.nanoseconds(0)
  private var receivedByteCount = 0
  private var hasClosedInput = false

  package init(_ connections: ClientConnections, stallSeconds: Int) {
    self.connections = connections
    stall = .seconds(Int64(stallSeconds))
  }

  package func handlerAdded(context: ChannelHandlerContext) { connections.add(connection, context.channel) }

  package func handlerRemoved(context: ChannelHandlerContext) { end(context) }

  package func channelInactive(context: ChannelHandlerContext) {
    end(context)
    context.fireChannelInactive()
  }

  private func end(_ context: ChannelHandlerContext) {
    check?.cancel()
    check = nil
    connections.remove(context.channel)
    connection.close()
  }

  package func read(context: ChannelHandlerContext) {
    if waitsSince == nil { waitsSince = .now() }
    context.read()
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      openRequestCount += 1
      isReadingRequest = true
      beginRound()
    case .body(let bytes): receivedByteCount += bytes.readableBytes
    case .end: isReadingRequest = false
    }
    watch(context)
    context.fireChannelRead(data)
  }

  package func channelReadComplete(context: ChannelHandlerContext) {
    stopWaiting()
    context.fireChannelReadComplete()
  }

  package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = unwrapOutboundIn(data) { openRequestCount -= 1 }
    if pendingWriteCount == 0 { lastWrite = .now() }
    pendingWriteCount += 1
    let written = promise ?? context.eventLoop.makePromise()
    let this = NIOLoopBound(self, eventLoop: context.eventLoop)
    written.futureResult.whenComplete { _ in
      this.value.pendingWriteCount -= 1
      this.value.lastWrite = .now()
    }
    watch(context)
    context.write(data, promise: written)
  }

  package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event, !hasClosedInput {
      hasClosedInput = true
      check?.cancel()
      check = nil
      watch(context)
    }
    context.fireUserInboundEventTriggered(event)
  }

  // MARK: Watching

  private func beginRound() {
    receivedByteCount = 0
    waited = .nanoseconds(0)
    if waitsSince != nil { waitsSince = .now() }
  }

  private func stopWaiting() {
    if let since = waitsSince { waited = waited + (.now() - since) }
    waitsSince = nil
  }

  private var hasWork: Bool { pendingWriteCount > 0 || isReadingRequest || hasClosedInput && openRequestCount > 0 }

  /// Looks again after a while, as long as there is something to look at.
  private func watch(_ context: ChannelHandlerContext) {
    guard check == nil, hasWork else { return }
    let interval = hasClosedInput ? TimeAmount.seconds(1) : .nanoseconds(max(stall.nanoseconds / 4, 100_000_000))
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    check = context.eventLoop.scheduleTask(in: interval) {
      let (this, context) = bound.value
      this.check = nil
      if this.isStalled(interval) { context.close(promise: nil) } else { this.watch(context) }
    }
  }

  private func isStalled(_ interval: TimeAmount) -> Bool {
    let now = NIODeadline.now()
    if pendingWriteCount > 0, now - lastWrite >= stall { return true }
    // Nothing was written for as long as the look took: whoever is gone would not be noticed otherwise.
    if hasClosedInput, openRequestCount > 0, now - lastWrite >= interval { return true }
    if isReadingRequest, !hasClosedInput {
      let isWaiting = waitsSince != nil
      stopWaiting()
      if isWaiting { waitsSince = now }
      if waited >= stall {
        let expected = Int(waited.nanoseconds / 1_000_000_000) * ConnectionGuard.uploadBytesPerSecond
        if receivedByteCount < expected { return true }
        beginRound()
      }
    }
    return false
  }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}
