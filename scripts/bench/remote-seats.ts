/**
 * Opening and closing sessions whose seats come from another machine, cold and from the cache, beside those of the machine's own
 * license; and how many TLS connections that takes. Imports the programs and the types of the load.
 */
import { connect, createServer, type Server } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { installLicense, product } from './license.ts'
import type { LoadOrder, LoadReport } from './load.ts'
import type { NetworkPlan } from './network-plan.ts'
import { AgentProgram, callAgent, load, type RunningServer, readProcessorTime } from './programs.ts'
import { waitForOffers } from './remote-agent.ts'
import { managerSettings } from './renewals.ts'
import { describeTimes } from './times.ts'

export type SeatSource = 'own' | 'cached' | 'cold'

export interface SeatRow {
  readonly source: SeatSource
  readonly connections: number
  /** Requests, and the opening of sessions alone. */
  readonly report: LoadReport
  /** Requests per second over those with a seat of the own license in the same round: median of the rounds. */
  readonly ratio: number
  /** That the manager granted meanwhile. */
  readonly leases: number
  /** Milliseconds of a processor for one opening and closing, at both agents; undefined where the system does not say. */
  readonly cost: number | undefined
  /** Of the machine, afterwards. */
  readonly systemLoad: number
}

export interface HandshakeRow {
  readonly source: SeatSource
  /** Sessions that were opened and closed. */
  readonly sessions: number
  /** TLS connections to the manager until then, those of the search included. */
  readonly connections: number
}

const body = JSON.stringify({ product, host: 'bench', process: { name: 'bench' } })
/** Applications at a time while connections are counted. */
const counted = 16

interface Targets {
  readonly own: RunningServer
  readonly cached: RunningServer
  readonly cold: RunningServer
}

/** @param say takes each row as soon as it is there */
export async function measureSeats(
  plan: NetworkPlan,
  folder: string,
  say: (row: SeatRow | HandshakeRow) => void,
): Promise<{ readonly seats: SeatRow[]; readonly handshakes: HandshakeRow[] }> {
  const started: RunningServer[] = []
  const start = async (name: string, settings: Readonly<Record<string, string>>): Promise<RunningServer> => {
    const program = new AgentProgram(path.join(folder, name), undefined, { AGENT_NAME: name, ...settings })
    const server = await program.start()
    started.push(server)
    if (name === 'manager')
      await installLicense(program, server, path.join(folder, name), { leaseSeconds: 600, count: 'user' })
    return server
  }
  const relays: Relay[] = []
  try {
    const own = await start('manager', managerSettings)
    const workstation = async (source: 'cached' | 'cold', port: number): Promise<RunningServer> => {
      const server = await start(`${source}-${port}`, {
        REMOTE_BROADCAST: 'false',
        REMOTE_SEARCH: `127.0.0.1:${port}`,
        CACHE_LINGER_SECONDS: source === 'cold' ? '0' : '300',
      })
      await waitForOffers(server.port)
      return server
    }
    const targets = { own, cached: await workstation('cached', own.port), cold: await workstation('cold', own.port) }
    const seats: SeatRow[] = []
    for (const connections of plan.connections)
      for (const row of await measureAll(plan, connections, targets)) {
        seats.push(row)
        say(row)
      }
    const handshakes: HandshakeRow[] = []
    for (const source of ['cached', 'cold'] as const) {
      const relay = await Relay.to(own.port)
      relays.push(relay)
      const row = await countHandshakes(source, relay, await workstation(source, relay.port), plan)
      handshakes.push(row)
      say(row)
    }
    return { seats, handshakes }
  } finally {
    for (const server of started.reverse()) await server.stop()
    for (const relay of relays) relay.close()
  }
}

/** In every round each of them in turn. */
async function measureAll(plan: NetworkPlan, connections: number, targets: Targets): Promise<SeatRow[]> {
  const rounds: SeatRow[] = []
  for (let round = 0; round < plan.rounds; round += 1) {
    const own = await measure(plan, 'own', connections, targets)
    const perSecond = own.report.requestsPerSecond
    for (const one of [
      own,
      await measure(plan, 'cached', connections, targets),
      await measure(plan, 'cold', connections, targets),
    ])
      rounds.push({ ...one, ratio: one.report.requestsPerSecond / perSecond })
  }
  return (['own', 'cached', 'cold'] as const).map((source) => {
    const sorted = rounds.filter((one) => one.source === source).sort((one, other) => one.ratio - other.ratio)
    const median = sorted[Math.floor(sorted.length / 2)]
    if (median === undefined) throw new Error('a plan needs at least one round')
    return median
  })
}

async function measure(
  plan: Pick<NetworkPlan, 'seconds' | 'warmUpSeconds'>,
  source: SeatSource,
  connections: number,
  targets: Targets,
): Promise<Omit<SeatRow, 'ratio'>> {
  const agents = source === 'own' ? [targets.own] : [targets.own, targets[source]]
  const order = orderFor(targets[source].port, source, connections)
  if (plan.warmUpSeconds > 0) await load({ ...order, seconds: plan.warmUpSeconds })
  const granted = await countLeases(targets.own)
  const before = await spentBy(agents)
  const report = await load({ ...order, seconds: plan.seconds })
  const after = await spentBy(agents)
  const leases = (await countLeases(targets.own)) - granted
  const cost = before === undefined || after === undefined ? undefined : ((after - before) * 2000) / report.requests
  return { source, connections, report, leases, cost, systemLoad: os.loadavg()[0] ?? 0 }
}

/** A lease serves one user only, so a user that is new needs a lease that is new. */
function orderFor(port: number, source: SeatSource, connections: number): Omit<LoadOrder, 'seconds'> {
  const users = source === 'cached' ? connections : 0
  return { port, connections, warmUpSeconds: 0, work: { kind: 'open-close', body, nonce: false, users } }
}

async function spentBy(agents: readonly RunningServer[]): Promise<number | undefined> {
  const times = await Promise.all(agents.map(({ pid }) => readProcessorTime(pid)))
  return times.includes(undefined) ? undefined : times.reduce<number>((sum, time) => sum + (time ?? 0), 0)
}

async function countLeases({ port }: RunningServer): Promise<number> {
  return ((await callAgent(port, 'GET', '/journal?type=lease.granted&limit=1')) as { total: number }).total
}

async function countHandshakes(
  source: 'cached' | 'cold',
  relay: Relay,
  server: RunningServer,
  { seconds, warmUpSeconds }: NetworkPlan,
): Promise<HandshakeRow> {
  const order = orderFor(server.port, source, counted)
  const { requests } = await load({ ...order, seconds: seconds + warmUpSeconds })
  return { source, sessions: Math.floor(requests / 2), connections: relay.connections }
}

/** Counts the connections to a port: between agents each one is a TLS handshake. */
class Relay {
  readonly #server: Server
  connections = 0

  private constructor(port: number) {
    this.#server = createServer({ noDelay: true }, (near) => {
      this.connections += 1
      const far = connect({ port, host: '127.0.0.1', noDelay: true })
      near.pipe(far).pipe(near)
      near.on('error', () => far.destroy())
      far.on('error', () => near.destroy())
    })
  }

  static async to(port: number): Promise<Relay> {
    const relay = new Relay(port)
    await new Promise<void>((resolve, reject) => relay.#server.once('error', reject).listen(0, '127.0.0.1', resolve))
    return relay
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the relay is closed')
    return address.port
  }

  close(): void {
    this.#server.close()
  }
}

export function describeSeatRow(row: SeatRow | HandshakeRow): string {
  if ('sessions' in row) {
    const { source, sessions, connections } = row
    return `TLS connections to the manager for the search and ${sessions} sessions with a ${source} seat: ${connections}`
  }
  const { source, connections, report, ratio, leases, cost, systemLoad } = row
  return [
    `open and close, ${source}`.padEnd(24),
    `${connections} connections`.padStart(17),
    `${Math.round(report.requestsPerSecond)}/s`.padStart(10),
    `ratio ${ratio.toFixed(2)}`.padStart(12),
    ';  opening:',
    describeTimes(report.opening ?? report),
    cost === undefined ? '' : `, ${cost.toFixed(2)} ms of a processor`,
    `, ${leases} leases for ${Math.round(report.requests / 2)} sessions, load ${systemLoad.toFixed(1)}`,
  ].join('')
}
