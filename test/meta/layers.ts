/**
 * The direction of imports as docs/architecture states it, as a table. A file belongs to the first layer that claims it.
 * Pure; imports nothing of ours.
 */

interface Layer {
  readonly name: string
  /** Files and folders below agent/, without extension. A noun claims `noun.ts`, `noun/…` and `noun-….ts`. */
  readonly nouns: readonly string[]
  readonly mayImport: readonly string[]
}

const base = ['leaf', 'ports', 'domain', 'config']
const lower = [...base, 'store', 'state']

export const layers: readonly Layer[] = [
  { name: 'domain', nouns: ['domain'], mayImport: [] },
  {
    name: 'leaf',
    nouns: ['errors', 'clock', 'system-clock', 'boot-id', 'remembered', 'random-texts', 'log', 'paths', 'language'],
    mayImport: [],
  },
  { name: 'ports', nouns: ['writes', 'store/store'], mayImport: ['leaf', 'domain'] },
  { name: 'config', nouns: ['config'], mayImport: ['leaf', 'ports', 'domain'] },
  { name: 'store', nouns: ['store'], mayImport: base },
  {
    name: 'owners',
    nouns: [
      'broker',
      'waiting-room',
      'session',
      'explanation',
      'licenses',
      'license',
      'vendor-trust',
      'product-view',
      'document-desk',
      'proofs',
      'sample',
      'people',
      'peers',
      'seat-finder',
      'lease',
      'leases',
      'serving',
      'access',
      'recent-clients',
      'remote-offers',
      'reserves',
      'reserve',
      'sites',
      'site',
      'detachments',
      'detachment',
    ],
    mayImport: lower,
  },
  { name: 'http', nouns: ['http'], mayImport: [...lower, 'owners'] },
  { name: 'jobs', nouns: ['jobs'], mayImport: [...lower, 'owners'] },
  { name: 'client', nouns: ['client'], mayImport: ['leaf', 'domain'] },
  { name: 'vendor', nouns: ['vendor'], mayImport: ['leaf', 'domain'] },
  { name: 'cli', nouns: ['cli'], mayImport: ['leaf', 'domain', 'client', 'vendor'] },
  { name: 'agent', nouns: ['agent'], mayImport: [...lower, 'owners', 'http', 'jobs'] },
  { name: 'main', nouns: ['main'], mayImport: [...base, 'agent', 'cli'] },
  // What owns state below the brokers: the lessor, the writer, identity, events, health and whatever stands beside them.
  { name: 'state', nouns: [''], mayImport: [...base, 'store'] },
]

/** Packages that belong to one place. */
export const packageHomes: Readonly<Record<string, string>> = {
  'node-cron': 'agent/jobs/',
  level: 'agent/store/',
  'classic-level': 'agent/store/',
  koa: 'agent/http/',
  '@koa/router': 'agent/http/',
  '@koa/bodyparser': 'agent/http/',
  '@koa/send': 'agent/http/',
  'koa-helmet': 'agent/http/',
  'koa-views': 'agent/http/',
  nunjucks: 'agent/http/',
  'bonjour-service': 'agent/peers/',
  selfsigned: 'agent/peers/',
  ini: 'agent/config/',
  pino: 'agent/log.ts',
}

/** What the pure domain may import from outside; of `node:net` only `isIP`, which computes. */
export const domainPackages = new Set(['node:crypto', 'zod', 'node:net'])

/** @param file from the root: `agent/…` */
export function findLayer(file: string): Layer {
  const name = file.replace(/^agent\//, '').replace(/\.ts$/, '')
  const claims = (noun: string): boolean =>
    noun === '' || name === noun || name.startsWith(`${noun}/`) || (!noun.includes('/') && name.startsWith(`${noun}-`))
  const layer = layers.find(({ nouns }) => nouns.some(claims))
  if (layer === undefined) throw new Error(`${file} belongs to no layer`)
  return layer
}

/** What is wrong with an import, or undefined. Both are file names from the root. */
export function judgeImport(from: string, to: string): string | undefined {
  const importer = findLayer(from)
  const imported = findLayer(to)
  if (importer === imported || importer.mayImport.includes(imported.name)) return undefined
  return `${from} (${importer.name}) imports ${to} (${imported.name})`
}
