/**
 * The broadcast search as a process of its own, for tests in network namespaces. Arguments: an id, and a port to announce or 0.
 * Prints each hint and each problem as a line of JSON; ends with a goodbye on SIGTERM.
 */
import { BroadcastFinder } from '../../agent/peers/finders/broadcast.ts'
import { loadMulticast } from '../../agent/peers/finders/multicast.ts'
import { systemNetwork } from '../../agent/peers/system-network.ts'
import { systemTimers } from '../../agent/system-clock.ts'

const [id = '', port = '0'] = process.argv.slice(2)
const print = (fact: object): void => void process.stdout.write(`${JSON.stringify(fact)}\n`)

const finder = new BroadcastFinder({
  load: loadMulticast,
  adapters: () => systemNetwork(systemTimers).adapters(),
  timers: systemTimers,
  health: { set: (code, args) => print({ problem: code, ...args }), clear: () => undefined },
  self: id,
  isOn: () => true,
})
const stopper = new AbortController()
const look = {
  signal: stopper.signal,
  hint: ({ place }: { place: object }) => print({ place }),
  tried: () => undefined,
  note: (text: string) => print({ note: text }),
}

const cancel = systemTimers.every(2000, () => void finder.find(look))
process.once('SIGTERM', () => {
  cancel()
  stopper.abort()
  void finder.stop().then(() => print({ stopped: true }))
})
if (port !== '0') await finder.announce(Number(port))
await finder.find(look)
print({ looked: true })
