// The DXLink client of dxFeed itself (npm @dxfeed/dxlink-api, unmodified) as a client of an exchange.
//
//     node dxlink_client.mjs < request.json
//
// request: {"url", "token", "format": "COMPACT"|"FULL", "symbols", "trades", "quiet_ms"}
// Prints {"quotes": {symbol: [bid, ask, bidSize, askSize]}, "trades": {symbol: price}, "errors": […]}.
import { readFileSync } from 'node:fs'
import { DXLinkFeed, DXLinkWebSocketClient, FeedContract } from '@dxfeed/dxlink-api'
import { WebSocket } from 'ws'

globalThis.WebSocket ??= WebSocket // what a browser has, and Node from 22 on

const request = JSON.parse(readFileSync(0, 'utf8'))
const seen = { quotes: {}, trades: {}, errors: [], authStates: [] }
const client = new DXLinkWebSocketClient({ maxReconnectAttempts: 1 })
client.addErrorListener((error) => seen.errors.push(error))
client.addAuthStateChangeListener((state) => seen.authStates.push(state))

let quiet
function finishWhenQuiet() {
  clearTimeout(quiet)
  quiet = setTimeout(() => {
    process.stdout.write(JSON.stringify(seen), () => process.exit(0))
  }, request.quiet_ms)
}

// The token is set before connecting, as the vendor's guide shows: AUTH follows SETUP at once.
client.setAuthToken(request.token)
client.connect(request.url)

// One channel a type: this client reads only the first type of a COMPACT frame.
const fields = {
  Quote: ['eventSymbol', 'bidPrice', 'askPrice', 'bidSize', 'askSize'],
  Trade: ['eventSymbol', 'price'],
}
function listen(type, symbols, take) {
  const feed = new DXLinkFeed(client, FeedContract.AUTO)
  feed.getChannel().addErrorListener((error) => seen.errors.push(error))
  feed.configure({
    acceptAggregationPeriod: 0.1,
    acceptDataFormat: request.format,
    acceptEventFields: { [type]: fields[type] },
  })
  feed.addEventListener((events) => {
    events.forEach(take)
    finishWhenQuiet()
  })
  feed.addSubscriptions(symbols.map((symbol) => ({ type, symbol })))
}
listen('Quote', request.symbols, (event) => {
  seen.quotes[event.eventSymbol] = [event.bidPrice, event.askPrice, event.bidSize, event.askSize]
})
listen('Trade', request.trades, (event) => {
  seen.trades[event.eventSymbol] = event.price
})
setTimeout(() => {
  seen.errors.push({ type: 'WITNESS', message: 'no end of quotes in 60 s' })
  process.stdout.write(JSON.stringify(seen), () => process.exit(1))
}, 60_000)
