/** Where the tests of the verbs run: an agent that answers as told, a command's surroundings, and samples of what it prints. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ExecutionContext } from 'ava'
import { FakeAgent, type Said } from './fake-agent.ts'
import { FakeIo } from './fake-io.ts'

/** ms that something which comes for sure may take, on a machine that is busy. */
export const patience = 30_000

let rootMade: Promise<string> | undefined
let folders = 0

/** A folder for the files of a test file; `removeRoot` takes it away. */
export function makeRoot(): Promise<string> {
  rootMade ??= mkdtemp(path.join(tmpdir(), 'leasehold-cli-'))
  return rootMade
}

export async function removeRoot(): Promise<void> {
  if (rootMade !== undefined) await rm(await rootMade, { recursive: true, force: true })
}

/** With a data folder of its own. */
export async function makeIo(): Promise<FakeIo> {
  const folder = path.join(await makeRoot(), String(folders++))
  await mkdir(folder)
  return new FakeIo(folder)
}

export interface Place {
  readonly agent: FakeAgent
  readonly io: FakeIo
  /** Runs a command against the agent. */
  readonly run: (...words: string[]) => Promise<number>
}

export async function begin(t: ExecutionContext): Promise<Place> {
  const agent = await FakeAgent.start()
  const io = await makeIo()
  io.env.LEASEHOLD_NETWORK_PORT = String(agent.port)
  t.teardown(async () => {
    await agent.stop()
    agent.checkFaults()
  })
  return { agent, io, run: (...words) => io.run(...words) }
}

export function answers(value: unknown, status = 200): Said {
  return { status, value }
}

export const manager = { id: 'agent-1', name: 'ws-17' }
export const instant = '2027-01-04T08:00:00.000Z'
export const fingerprint = '0D1RR-7X3AB-9KZQ2-MN45T'

export const license = {
  id: 'license-1',
  state: 'not_activated',
  kind: 'network',
  vendor: { name: 'acme', fingerprint, trusted: true },
  products: [
    {
      product: 'acme/cad',
      title: 'CAD',
      any: false,
      seats: 5,
      used: 1,
      features: [{ name: 'render', seats: 2, used: 0 }],
    },
  ],
  model: 'perpetual',
  manager,
  local: true,
  actions: ['activation-request'],
}
export const licenseDetails = {
  ...license,
  issuedAt: instant,
  count: 'user',
  leaseSeconds: 600,
  overlapAllowed: true,
  depth: 4,
  links: {},
  replaces: [],
  activation: { needed: true, parts: [{ name: 'machine', agrees: false }] },
  text: '-----BEGIN LEASEHOLD LICENSE-----\nabc\n-----END LEASEHOLD LICENSE-----\n',
}
export const product = {
  id: 'acme/cad',
  vendor: 'acme',
  name: 'cad',
  title: 'CAD',
  seats: 5,
  used: 2,
  free: 3,
  anyProductFree: 1,
  waiting: 0,
  features: ['render'],
  licenses: [],
  manager,
  local: true,
}
export const session = {
  id: 'session-1',
  product: 'acme/cad',
  seats: 1,
  state: 'active',
  user: { account: 'ana' },
  host: 'ws-ana',
  process: { id: 42, name: 'cad' },
  address: '127.0.0.1',
  source: { kind: 'license', manager },
  startedAt: instant,
  expiresAt: instant,
  expiresIn: 590,
  actions: ['disconnect'],
}
export const computer = {
  id: 'computer-1',
  host: 'ws-ana',
  user: { account: 'ana' },
  addresses: ['127.0.0.1'],
  sessions: 2,
  seats: 3,
  since: instant,
  uses: [
    { product: 'acme/cad', seats: 2, since: instant },
    { product: 'acme/cad', feature: 'render', seats: 1, since: instant },
  ],
}
export const refusedSeat = {
  id: 'refusal-1',
  product: 'acme/cad',
  feature: 'render',
  seats: 2,
  user: { account: 'bo', displayName: 'Bo Lind' },
  host: 'ws-bo',
  application: 'CAD 7',
  code: 'no_seats',
  title: 'All seats are in use',
  detail: '2 of 2 seats of acme/cad with feature render are in use.',
  help: 'Wait, or ask a holder.',
  times: 3,
  firstAt: '2027-01-04T07:00:00.000Z',
  lastAt: instant,
  retryIn: 30,
  explanation: {
    managers: [
      {
        ...manager,
        product: 'acme/cad',
        seats: 2,
        used: 2,
        detached: 0,
        notDetachable: 2,
        nextReturnAt: '2027-01-04T08:10:00.000Z',
        holders: [{ user: 'Ana Ruiz', host: 'ws-ana', seats: 2, startedAt: instant }],
      },
    ],
    asked: [],
  },
}
export const status = {
  pid: 42,
  port: 1947,
  dataFolder: '/var/lib/leasehold',
  startedAt: instant,
  version: '0.1.0',
  agent: manager,
  sessions: 2,
}

export function entry(name: string, kind: string, value: unknown, more: object = {}): object {
  return {
    name,
    section: 'basic',
    label: name,
    kind,
    value,
    default: value,
    source: 'default',
    editable: true,
    restart: false,
    ...more,
  }
}
