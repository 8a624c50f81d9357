/**
 * What a test of the outgoing proxy tells people: each step that was taken, the one that failed last. Pure.
 */
import { isIP } from 'node:net'
import type { Place } from '../domain/place.ts'
import { type ProxyConnection, type ProxySettings, readProxy, type Way } from './proxy-target.ts'

export const testSteps = ['password', 'name', 'connect', 'tls', 'login', 'target'] as const
export type TestStep = (typeof testSteps)[number]

export interface ProxyTest {
  readonly way: Way
  readonly good: boolean
  readonly steps: readonly { readonly step: TestStep; readonly outcome: 'good' | 'failed'; readonly detail: string }[]
  /** For all of it. */
  readonly ms: number
}

/** Never exists (RFC 2606): whoever looks for it gets as far as the login of the proxy, and nobody else hears of it. */
export const nowhere: Place = { host: 'leasehold.invalid', port: 443 }

/** @param target absent: as far as the login of the proxy */
export function describeTest(
  outcome: ProxyConnection,
  settings: ProxySettings,
  target: Place | undefined,
): Omit<ProxyTest, 'ms'> {
  const { way } = outcome
  const taken = testSteps.filter((step) => isTaken(step, way, settings, target))
  const failed = failedStep(outcome, target)
  if (outcome.kind === 'connected' || failed === undefined) return { way, good: true, steps: taken.map(good) }
  const before = taken.filter((step) => testSteps.indexOf(step) < testSteps.indexOf(failed))
  return { way, good: false, steps: [...before.map(good), { step: failed, outcome: 'failed', detail: outcome.detail }] }
}

function good(step: TestStep): ProxyTest['steps'][number] {
  return { step, outcome: 'good', detail: goodWords[step] }
}

function isTaken(step: TestStep, way: Way, settings: ProxySettings, target: Place | undefined): boolean {
  const place = readProxy(settings.url)
  const first = way === 'straight' ? target?.host : place?.proxy.host
  switch (step) {
    case 'name':
      return isIP(first ?? '') === 0
    case 'connect':
      return true
    case 'password':
      return way === 'proxy' && settings.user !== '' && settings.passwordFile !== ''
    case 'tls':
      return way === 'proxy' && place?.secure === true
    case 'login':
      return way === 'proxy'
    case 'target':
      return way === 'proxy' && target !== undefined
  }
}

/** undefined: nothing that was to be tested failed. */
function failedStep(outcome: ProxyConnection, target: Place | undefined): TestStep | undefined {
  if (outcome.kind === 'connected') return undefined
  switch (outcome.reason) {
    case 'target':
      return target === undefined ? undefined : 'target'
    case 'forbidden':
      return 'target'
    case 'answer':
      return 'login'
    default:
      return outcome.reason
  }
}

const goodWords: Readonly<Record<TestStep, string>> = {
  password: 'the file with the password was read',
  name: 'the name is known',
  connect: 'the connection was made',
  tls: 'the certificate of the proxy is trusted',
  login: 'the proxy takes requests of this machine',
  target: 'the target was reached',
}
