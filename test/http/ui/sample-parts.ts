/**
 * An agent in memory for the tests of the pages: small, full, empty or with hostile names. Everything a page can do works
 * on it and is remembered in `done`.
 */
import { refuse } from '../../../agent/errors.ts'
import type { ConfigurationEntry, ConfigurationValue, HealthProblem } from '../../../agent/http/api/agent-shapes.ts'
import type { License, LicenseDetails, LicenseState, Product } from '../../../agent/http/api/license-shapes.ts'
import type { Session } from '../../../agent/http/api/shapes.ts'
import type { Parts } from '../../../agent/http/ui/parts.ts'
import { selectSessions } from '../../../agent/http/ui/session-selection.ts'

export const now = Date.parse('2026-11-24T13:20:05.000Z')
export const password = 'correct horse battery'
const minute = 60_000
const day = 86_400_000

export type Size = 'empty' | 'some' | 'full' | 'hostile'

export const hostile = [
  '<script>window.hurt=1</script>',
  '"><img src=x onerror="window.hurt=1">',
  `' onmouseover='window.hurt=1' x='`,
  '\u202Egnp.exe\u202C',
  'W'.repeat(255),
  '👩‍🚀🏴󠁧󠁢󠁳󠁣󠁴󠁿 Ünïcödé ﷽',
  '{{ 7 * 7 }}{% raw %}',
  'javascript:alert(1)',
] as const

export interface SampleParts extends Parts {
  readonly done: string[]
  readonly sessionList: Session[]
  readonly licenseList: LicenseDetails[]
  readonly problemList: HealthProblem[]
  readonly settings: ConfigurationEntry[]
  /** Makes every list throw, as a store that failed would. */
  broken: boolean
  passwordSet: string | undefined
  machineName: string
  reach: string[]
}

function at(ms: number): string {
  return new Date(now + ms).toISOString()
}

export function makeSession(change: Partial<Session> & { readonly id: string }): Session {
  return {
    product: 'acme/cad',
    title: 'Acme CAD',
    seats: 1,
    state: 'active',
    user: { displayName: 'Ana Ruiz', account: 'ACME\\ana', email: 'ana@example.com' },
    host: 'WS-17',
    process: { id: 4211, name: 'cad' },
    application: 'Acme CAD 12',
    address: '127.0.0.1',
    license: 'lic-7f3a9c21',
    source: { kind: 'license', manager: { id: 'agent-1', name: 'WS-17' } },
    startedAt: at(-42 * minute),
    expiresAt: at(8 * minute),
    expiresIn: 480,
    actions: ['disconnect'],
    ...change,
  }
}

export function makeLicense(change: Partial<LicenseDetails> & { readonly id: string }): LicenseDetails {
  return {
    state: 'active',
    kind: 'network',
    vendor: { name: 'acme', fingerprint: '7K2M-Q9TD-X3WB-55RA', trusted: true },
    products: [
      {
        product: 'acme/cad',
        title: 'Acme CAD',
        any: false,
        seats: 5,
        used: 3,
        features: [
          { name: 'render', title: 'Rendering', seats: 2, used: 1 },
          { name: 'export', used: 0 },
        ],
      },
    ],
    model: 'subscription',
    months: 12,
    beginsAt: at(-300 * day),
    endsAt: at(65 * day),
    daysLeft: 65,
    customer: 'Example Ltd.',
    manager: { id: 'agent-1', name: 'WS-17' },
    local: true,
    actions: ['deactivate', 'remove'],
    issuedAt: at(-301 * day),
    installedAt: at(-300 * day),
    count: 'user',
    leaseSeconds: 600,
    detach: { maxDays: 14, cascade: false, earlyReturn: 'offline' },
    overlapAllowed: true,
    depth: 4,
    links: { home: 'https://acme.example/', hurt: 'javascript:alert(1)' },
    replaces: [],
    activation: {
      needed: true,
      number: 2,
      activatedAt: at(-300 * day),
      endsAt: at(95 * day),
      parts: [
        { name: 'machine id', agrees: true },
        { name: 'processor', agrees: true },
        { name: 'system disk', agrees: false },
      ],
    },
    text: '-----BEGIN LEASEHOLD LICENSE-----\nVendor: acme\n\neyJhbGciOiJFZERTQSJ9.e30.AAAA\n-----END LEASEHOLD LICENSE-----',
    ...change,
  }
}

function makeLicenses(size: Size): LicenseDetails[] {
  if (size === 'empty') return []
  const product = (title: string, seats: number, used: number) => ({
    product: `acme/${title.toLowerCase().replaceAll(' ', '-')}`,
    title,
    any: false,
    seats,
    used,
    features: [],
  })
  const licenses = [
    makeLicense({ id: 'lic-7f3a9c21' }),
    makeLicense({
      id: 'lic-22b0',
      state: 'not_activated',
      products: [product('Acme Simulation', 2, 0), { ...product('Any', 3, 0), product: 'acme/*', any: true }],
      actions: ['activation-request', 'activate', 'remove'],
      activation: { needed: true, parts: [], url: 'https://acme.example/activate' },
      daysLeft: 365,
      endsAt: at(365 * day),
    }),
    makeLicense({
      id: 'lic-5510',
      state: 'expiring',
      products: [product('Acme Viewer', 400, 212)],
      daysLeft: 11,
      endsAt: at(11 * day),
    }),
    makeLicense({
      id: 'lic-9001',
      state: 'expired',
      kind: 'standalone',
      products: [product('Acme Plot', 1, 0)],
      daysLeft: -3,
      endsAt: at(-3 * day),
      actions: ['remove'],
    }),
    makeLicense({
      id: 'lic-0007',
      state: 'blocked_hardware',
      products: [product('Acme Mesh', 3, 4)],
      overlap: { seats: 1, until: at(9 * minute) },
      actions: ['activation-request', 'activate', 'deactivate', 'remove'],
    }),
  ]
  const states: LicenseState[] = ['not_yet_valid', 'replaced', 'deactivated', 'detached']
  if (size === 'full') {
    for (const [index, state] of states.entries()) licenses.push(makeLicense({ id: `lic-state-${index}`, state }))
    for (let index = 0; index < 60; index += 1)
      licenses.push(makeLicense({ id: `lic-more-${index}`, products: [product(`Product ${index}`, index + 1, index)] }))
  }
  if (size === 'hostile')
    for (const [index, name] of hostile.entries())
      licenses.push(
        makeLicense({
          id: `lic-bad-${index}-${name.slice(0, 40)}`,
          customer: name,
          owner: name,
          vendor: { name, fingerprint: name.slice(0, 30), trusted: false },
          products: [{ ...product('x', 2, 1), title: name, features: [{ name, title: name, used: 1 }] }],
          manager: { id: name, name },
          local: false,
        }),
      )
  return licenses
}

function makeSessions(size: Size): Session[] {
  if (size === 'empty') return []
  const people = ['Ana Ruiz', 'Bo Lindqvist', 'Chidi Okafor', 'Dora Klein', 'Emre Aydın']
  const count = size === 'full' ? 1000 : 5
  const sessions = Array.from({ length: count }, (_, index) =>
    makeSession({
      id: `s${String(index).padStart(4, '0')}-2f9b1c7d`,
      user: { displayName: people[index % 5] ?? '', account: `ACME\\user${index}` },
      host: `WS-${17 + index}`,
      ...(index % 2 === 0 ? { feature: 'render' } : {}),
      process: { id: 4000 + index, name: 'cad' },
      startedAt: at(-(index + 1) * 7 * minute),
      seats: index % 7 === 3 ? 2 : 1,
      ...(index % 3 === 1 ? { idleEndsAt: at(11 * 60 * minute) } : {}),
      ...(index === 2
        ? {
            state: 'ending' as const,
            reason: 'disconnected' as const,
            freeAt: at(9 * minute),
            actions: ['free-now' as const],
          }
        : {}),
    }),
  )
  if (size === 'hostile')
    for (const [index, name] of hostile.entries())
      sessions.push(
        makeSession({
          id: `bad${index}-${'x'.repeat(60)}`,
          title: name,
          product: name.slice(0, 129),
          feature: name.slice(0, 64),
          user: { displayName: name, account: name, email: name },
          host: name,
          application: name,
          process: { id: 7, name },
          address: name,
          license: name,
        }),
      )
  return sessions
}

function makeProducts(licenses: readonly License[], size: Size): Product[] {
  return licenses
    .filter(({ state }) => state === 'active' || state === 'expiring')
    .flatMap(({ products, manager, local }) =>
      products.map((product) => ({
        id: product.product,
        vendor: 'acme',
        name: product.product,
        title: product.title,
        seats: product.seats,
        used: product.used,
        free: Math.max(0, product.seats - product.used),
        anyProductFree: size === 'some' ? 2 : 0,
        waiting: product.used > 200 ? 3 : 0,
        count: 'user' as const,
        features: [],
        licenses: [],
        manager,
        local,
      })),
    )
}

function entry(
  name: string,
  kind: ConfigurationEntry['kind'],
  value: ConfigurationValue,
  more: Partial<ConfigurationEntry> = {},
): ConfigurationEntry {
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

function makeSettings(): ConfigurationEntry[] {
  return [
    entry('agent.name', 'text', 'WS-17', {
      label: 'Machine name',
      help: 'Other machines see this name.',
      default: 'ws-17.example',
      source: 'administrator',
    }),
    entry('agent.email', 'text', null, {
      label: 'E-mail of the user',
      help: 'Said to license servers with each session.',
    }),
    entry('session.idleMinutes', 'number', 720, {
      label: 'Idle timeout',
      help: 'A session that reports no activity for so long ends.',
      unit: 'minutes',
      min: 10,
      max: 10_080,
    }),
    entry('ui.rowsPerPage', 'number', 20, { label: 'Rows per page', min: 5, max: 1000 }),
    entry('ui.refreshSeconds', 'number', 3, { label: 'Refresh', unit: 'seconds', min: 1, max: 600 }),
    entry('ui.protection', 'choice', 'configuration', {
      label: 'The password protects',
      choices: ['none', 'configuration', 'all'],
    }),
    entry('ui.remote', 'switch', false, { label: 'Remote administration' }),
    entry('journal.local', 'switch', true, { label: 'Log requests of this machine' }),
    entry('journal.keepDays', 'number', 730, {
      label: 'Keep the log for',
      unit: 'days',
      min: 1,
      max: 3650,
      source: 'environment',
      editable: false,
    }),
    entry('journal.ignore', 'lines', ['a', 'b'], { label: 'Not logged', restart: true, source: 'file' }),
    entry('ui.language', 'choice', 'en', { label: 'Language', choices: ['en', 'de'] }),
  ]
}

export function createSampleParts(size: Size): SampleParts {
  const done: string[] = []
  const sessionList = makeSessions(size)
  const licenseList = makeLicenses(size)
  const settings = makeSettings()
  const problemList: HealthProblem[] = [
    {
      code: 'no_password',
      severity: 'warning',
      title: 'No administrator password is set',
      text: 'Anyone at this computer can change settings.',
      action: { label: 'Set a password', address: '/configuration/basic#password' },
    },
  ]
  if (size === 'hostile')
    for (const name of hostile) problemList.push({ code: 'x', severity: 'error', title: name, text: name })
  function check(): void {
    if (parts.broken) throw new Error('the store is gone')
  }
  const parts: SampleParts = {
    done,
    sessionList,
    licenseList,
    problemList,
    settings,
    broken: false,
    passwordSet: undefined,
    machineName: size === 'hostile' ? hostile[0] : 'WS-17',
    reach: [],
    now: () => now,
    frame: () => ({
      machineName: parts.machineName,
      version: '0.1.0',
      reach: parts.reach,
      rowsPerPage: Number(settings.find(({ name }) => name === 'ui.rowsPerPage')?.value ?? 20),
      refreshSeconds: 3,
    }),
    health: { problems: () => problemList },
    products: {
      list: () => {
        check()
        return makeProducts(licenseList, size)
      },
    },
    licenses: {
      list: () => {
        check()
        return licenseList
      },
      get: (id) => licenseList.find((license) => license.id === id),
      add: async ({ text, trust }) => {
        if (!text.includes('BEGIN LEASEHOLD LICENSE'))
          return refuse('not_a_document', 'No block begins in these lines.')
        if (text.includes('stranger') && !trust)
          return refuse('untrusted_vendor', 'The license is of a vendor that this agent has not met.', {
            vendor: 'stranger',
            fingerprint: 'AAAA-BBBB-CCCC',
          })
        const license = makeLicense({
          id: 'lic-new',
          state: 'not_activated',
          actions: ['activation-request', 'activate'],
        })
        licenseList.push(license)
        done.push(`added ${text.length}`)
        return { kind: 'added', licenses: [license] }
      },
      requestActivation: async (id) => {
        done.push(`requested ${id}`)
        return {
          kind: 'made',
          request:
            '-----BEGIN LEASEHOLD ACTIVATION REQUEST-----\nLicense: x\n\nAAAA\n-----END LEASEHOLD ACTIVATION REQUEST-----',
          fingerprint: 'Q9TD-7K2M',
        }
      },
      activate: async (id, text) => {
        if (!text.includes('ACTIVATION')) return refuse('wrong_recipient', 'The block names agent WS-18.')
        done.push(`activated ${id}`)
        return { kind: 'activated' }
      },
      deactivate: async (id, confirmOverlap) => {
        if (id === 'lic-5510' && !confirmOverlap) return refuse('license_in_use', '212 seats of it are in use.')
        done.push(`deactivated ${id}`)
        if (id === 'lic-0007') return { kind: 'deactivating', freeAt: at(9 * minute) }
        return {
          kind: 'deactivated',
          receipt: '-----BEGIN LEASEHOLD DEACTIVATION-----\n\nAAAA\n-----END LEASEHOLD DEACTIVATION-----',
        }
      },
      remove: async (id) => {
        const place = licenseList.findIndex((license) => license.id === id)
        if (place < 0) return refuse('unknown_license', 'It may have been removed.')
        licenseList.splice(place, 1)
        done.push(`removed ${id}`)
        return { kind: 'removed' }
      },
    },
    sessions: {
      list: (selection) => {
        check()
        return selectSessions(sessionList, selection)
      },
      get: (id) => sessionList.find((session) => session.id === id),
      overlapOf: () => ({ seats: 1, until: at(9 * minute) }),
      disconnect: async (id, { freeNow, reason }) => {
        done.push(`disconnected ${id}${freeNow ? ' now' : ''}${reason === undefined ? '' : ` ${reason}`}`)
        const place = sessionList.findIndex((session) => session.id === id)
        const session = sessionList[place]
        if (session === undefined) return refuse('unknown_session', 'It has ended.')
        if (freeNow) {
          sessionList.splice(place, 1)
          return {
            kind: 'disconnected',
            ended: 'confirmed',
            freeAt: at(0),
            overlap: { seats: 1, until: at(9 * minute) },
          }
        }
        const freeAt = at(9 * minute)
        sessionList[place] = { ...session, state: 'ending', freeAt, actions: ['free-now'] }
        return { kind: 'disconnected', ended: 'ending', freeAt }
      },
    },
    configuration: {
      describe: (section) => settings.filter((setting) => setting.section === section),
      change: async (patch) => {
        if (patch['agent.name'] === 'nope')
          return refuse('invalid_request', 'One field is wrong.', {
            fields: [{ field: 'agent.name', message: 'must be another name' }],
          })
        const changes = Object.entries(patch).map(([name, after]) => {
          const place = settings.findIndex((setting) => setting.name === name)
          const before = settings[place] as ConfigurationEntry
          settings[place] = { ...before, value: after, source: 'administrator' }
          return { name, before: before.value, after }
        })
        done.push(`changed ${JSON.stringify(patch)}`)
        return { kind: 'changed', changes }
      },
    },
    administrator: {
      protected: () => parts.passwordSet !== undefined,
      signedIn: ({ cookies }) => parts.passwordSet !== undefined && cookies.includes('sample-sign-in=yes'),
      may: (guard, { cookies }) =>
        parts.passwordSet === undefined ||
        guard === 'open' ||
        guard === 'see' ||
        cookies.includes('sample-sign-in=yes'),
      signIn: async (given) => {
        if (given === 'too often') return refuse('too_many_requests', '10 attempts failed.', { retryIn: 60 })
        if (given !== parts.passwordSet) return refuse('wrong_password', 'The password is another one.')
        return { kind: 'signed_in', cookie: 'sample-sign-in=yes; Path=/; HttpOnly; SameSite=Strict' }
      },
      signOut: async () => 'sample-sign-in=; Path=/; Max-Age=0',
      changePassword: async ({ current, password: next }) => {
        if (parts.passwordSet !== undefined && current !== parts.passwordSet)
          return refuse('wrong_password', 'The current password is another one.')
        parts.passwordSet = next
        done.push('changed password')
        return { kind: 'changed', cookie: 'sample-sign-in=yes; Path=/; HttpOnly; SameSite=Strict' }
      },
    },
    sample: {
      install: async () => {
        if (licenseList.length > 0) return refuse('already_applied', 'The sample license is installed.')
        licenseList.push(makeLicense({ id: 'lic-sample' }))
        done.push('sample')
        return { kind: 'installed' }
      },
    },
  }
  return parts
}
