/**
 * Licenses, sessions, products and settings for the tests of the pages: few, a thousand, none, or with hostile names.
 */
import type { ConfigurationEntry, ConfigurationValue } from '../../../agent/http/api/agent-shapes.ts'
import type { License, LicenseDetails, LicenseState, Product } from '../../../agent/http/api/license-shapes.ts'
import type { Session } from '../../../agent/http/api/shapes.ts'

export const now = Date.parse('2026-11-24T13:20:05.000Z')
export const minute = 60_000
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

export function at(ms: number): string {
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

export function makeLicenses(size: Size): LicenseDetails[] {
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
  licenses.push(
    makeLicense({
      id: 'lic-remote',
      products: [product('Acme Flow', 2, 2)],
      manager: { id: 'agent-lic', name: 'LICENSES' },
      local: false,
      actions: [],
    }),
  )
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
          products: [{ ...product(`x${index}`, 2, 1), title: name, features: [{ name, title: name, used: 1 }] }],
          manager: { id: name, name },
          local: false,
        }),
      )
  return licenses
}

export function makeSessions(size: Size): Session[] {
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
      // two live on leases of another manager, one is held by another agent
      ...(index === 1 || index === 3
        ? { source: { kind: 'lease' as const, manager: { id: 'agent-lic', name: 'LICENSES' } } }
        : {}),
      ...(index === 4 ? { agent: { id: 'agent-branch', name: 'BRANCH-2' } } : {}),
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

export function makeProducts(licenses: readonly License[], size: Size): Product[] {
  return licenses
    .filter(({ state }) => state === 'active' || state === 'expiring')
    .flatMap(({ products, manager, local }) =>
      products.map((product) => ({
        id: product.product,
        vendor: 'acme',
        name: product.product.split('/')[1] ?? '',
        title: product.title,
        seats: product.seats,
        used: product.used,
        free: Math.max(0, product.seats - product.used),
        anyProductFree: size === 'some' ? 2 : 0,
        waiting: product.used > 200 ? 3 : 0,
        count: 'user' as const,
        features: product.features.map(({ name }) => name),
        ...(product.product === 'acme/acme-viewer' && size === 'some'
          ? { overlap: { seats: 2, until: at(9 * minute) } }
          : {}),
        licenses: [
          { license: 'lic-7f3a9c21', state: 'active' as const, any: false, seats: product.seats, used: product.used },
          ...(size === 'some' ? [{ license: 'lic-22b0', state: 'active' as const, any: true, seats: 3, used: 1 }] : []),
        ],
        manager,
        local,
      })),
    )
}

export function makeSetting(
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

export function makeSettings(): ConfigurationEntry[] {
  return [
    makeSetting('agent.name', 'text', 'WS-17', {
      label: 'Machine name',
      help: 'Other machines see this name.',
      default: 'ws-17.example',
      source: 'administrator',
    }),
    makeSetting('agent.email', 'text', null, {
      label: 'E-mail of the user',
      help: 'Said to license servers with each session.',
    }),
    makeSetting('session.idleMinutes', 'number', 720, {
      label: 'Idle timeout',
      help: 'A session that reports no activity for so long ends.',
      unit: 'minutes',
      min: 10,
      max: 10_080,
    }),
    makeSetting('ui.rowsPerPage', 'number', 20, { label: 'Rows per page', min: 5, max: 1000 }),
    makeSetting('ui.refreshSeconds', 'number', 3, { label: 'Refresh', unit: 'seconds', min: 1, max: 600 }),
    makeSetting('ui.protection', 'choice', 'configuration', {
      label: 'The password protects',
      choices: ['none', 'configuration', 'all'],
    }),
    makeSetting('ui.remote', 'switch', false, { label: 'Remote administration' }),
    makeSetting('journal.local', 'switch', true, { label: 'Log requests of this machine' }),
    makeSetting('journal.keepDays', 'number', 730, {
      label: 'Keep the log for',
      unit: 'days',
      min: 1,
      max: 3650,
      source: 'environment',
      editable: false,
    }),
    makeSetting('journal.ignore', 'lines', ['a', 'b'], { label: 'Not logged', restart: true, source: 'file' }),
    makeSetting('ui.language', 'choice', 'en', { label: 'Language', choices: ['en', 'de'] }),
  ]
}
