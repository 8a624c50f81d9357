/**
 * Managers and workstations as real agents: what the scenarios about several of them start, and the relay that stands for a
 * bad line between two. Everything is ended by `cleanUp` of real-agent.ts, but for relays.
 */
import { randomUUID } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { z } from 'zod'
import { waitFor } from '../helpers/wait-for.ts'
import { blockOf, type LicenseTerms as Terms, type TestLicense, TestVendor } from '../licenses/test-vendor.ts'
import { freshFolder, type Place, RealAgent, type Reply, seatIn } from './real-agent.ts'
import type { LicenseTerms } from './seat-audit.ts'

export const acme = new TestVendor('acme')
const signedAt = Date.UTC(2026, 0, 1)

export interface Issued {
  readonly license: TestLicense
  /** What the audit has to know of it. */
  readonly terms: LicenseTerms
}

/** A license for so many seats of acme/cad. */
export function issue(seats: number, terms: Terms = {}): Issued {
  const license = acme.license({ products: [{ name: 'cad', seats }], ...terms }, signedAt)
  const { id, count } = license.payload
  return { license, terms: { id, seats, ...(count === 'process' ? {} : { count }) } }
}

let agents = 0
/** A machine's name known with another key is refused, so every agent of the tests needs one of its own. */
function newName(kind: string): Environment {
  return { LEASEHOLD_AGENT_NAME: `${kind}-${++agents}` }
}

export type Environment = Readonly<Record<string, string>>

const reachable = {
  LEASEHOLD_SERVING_ACCESS: 'rules',
  // Reached over loopback only, so that a test opens no port to the outside.
  LEASEHOLD_NETWORK_LISTEN: '127.0.0.2',
}

/** An agent that others may ask, with licenses. */
export async function startManager(
  licenses: readonly Issued[],
  { environment = {}, place }: { readonly environment?: Environment; readonly place?: Place } = {},
): Promise<RealAgent> {
  const agent = await RealAgent.start(await freshFolder(), {
    environment: { ...reachable, ...newName('MGR'), ...environment },
    ...(place && { place }),
  })
  for (const { license } of licenses) await agent.install(blockOf(license))
  return agent
}

/** The same agent again after it was stopped or killed, at the port that it had. */
export async function restart({
  folder,
  port,
  options,
}: Pick<RealAgent, 'folder' | 'port' | 'options'>): Promise<RealAgent> {
  const environment = { ...options.environment, LEASEHOLD_NETWORK_PORT: String(port) }
  return RealAgent.start(folder, { ...options, environment })
}

/** An agent without licenses that looks for managers at these ports of this machine. */
export async function startWorkstation(managers: readonly number[], environment: Environment = {}): Promise<RealAgent> {
  const search = managers.map((port) => `127.0.0.1:${port}`).join('\n')
  const agent = await RealAgent.start(await freshFolder(), {
    environment: {
      ...newName('WS'),
      LEASEHOLD_REMOTE_SEARCH: search,
      LEASEHOLD_CACHE_LINGER_SECONDS: '0',
      ...environment,
    },
  })
  if (managers.length > 0) await knows(agent, managers.length)
  return agent
}

const managersPage = z.looseObject({
  items: z.array(
    z.looseObject({ id: z.string(), name: z.string(), state: z.string(), offers: z.array(z.looseObject({})) }),
  ),
})

/** Agents that it knows, as its interface tells. */
export async function managersOf(agent: RealAgent) {
  return managersPage.parse((await agent.ask('GET', '/managers')).body).items
}

/** Waits until it has reached so many managers, and lets it search again as somebody would who waits. */
export async function knows(agent: RealAgent, count: number, within = 60_000): Promise<void> {
  let searchedAt = performance.now()
  const reached = async () => {
    if ((await managersOf(agent)).filter(({ state }) => state === 'reachable').length >= count) return true
    if (performance.now() - searchedAt > 3000) {
      searchedAt = performance.now()
      await agent.ask('POST', '/search', {})
    }
    return false
  }
  await waitFor(`${count} reachable managers`, reached, within)
}

export interface Seat {
  readonly agent: RealAgent
  readonly id: string
  readonly key: string
  readonly expiresIn: number
}

export async function takeSeat(agent: RealAgent, body: object = {}, idempotencyKey = randomUUID()): Promise<Seat> {
  return { agent, ...seatIn(await agent.open(idempotencyKey, body)) }
}

export function beat({ agent, id, key }: Seat): Promise<Reply> {
  return agent.ask('PUT', `/sessions/${id}`, {}, { 'session-key': key })
}

export async function giveBack({ agent, id, key }: Seat): Promise<void> {
  const { status } = await agent.ask('DELETE', `/sessions/${id}`, undefined, { 'session-key': key })
  if (status !== 204) throw new Error(`giving back is answered ${status}`)
}

/** Seats of a product that an agent has given out of its licenses. */
export async function usedAt(manager: RealAgent, product = 'acme/cad'): Promise<number> {
  const shape = z.looseObject({
    items: z.array(z.looseObject({ id: z.string(), used: z.number(), manager: z.looseObject({ id: z.string() }) })),
  })
  const { items } = shape.parse((await manager.ask('GET', '/products')).body)
  return items.filter(({ id }) => id === product).reduce((sum, { used }) => sum + used, 0)
}

/** A line between two agents that a test makes bad: what stands for a slow network and for answers that never come. */
export class Relay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** ms by which everything is late, in each direction. */
  delay = 0
  /** What the asked agent answers is thrown away. */
  deaf = false
  /** Nothing passes, and nothing is refused: packets are lost. */
  cut = false
  /** Connections that were made through it. */
  connections = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async to(port: number): Promise<Relay> {
    const server = createServer({ allowHalfOpen: true })
    const relay = new Relay(server)
    server.on('connection', (near) => relay.#join(near, connect({ port, host: '127.0.0.1', allowHalfOpen: true })))
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    return relay
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the relay is closed')
    return address.port
  }

  /** Ends all connections that go through it; new ones are taken. */
  reset(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.#server.close()
    this.reset()
  }

  #join(near: Socket, far: Socket): void {
    this.connections += 1
    this.#pass(near, far, () => !this.cut)
    this.#pass(far, near, () => !this.cut && !this.deaf)
  }

  #pass(from: Socket, to: Socket, isOpen: () => boolean): void {
    this.#sockets.add(from)
    const later = (act: () => void) => {
      if (this.delay === 0) act()
      else setTimeout(act, this.delay)
    }
    from.setNoDelay(true)
    from.on('data', (bytes) => later(() => isOpen() && !to.destroyed && to.write(bytes)))
    from.on('end', () => later(() => isOpen() && to.end()))
    from.on('error', () => to.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      if (isOpen()) later(() => to.destroy())
    })
  }
}
