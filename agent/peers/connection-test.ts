/**
 * Tests one search parameter step by step: name, TCP, TLS, identity, version, latency, clock difference, licenses offered; a
 * step that fails says what to ask the network administrator for. Owns nothing.
 */
import { setMaxListeners } from 'node:events'
import type { Timers } from '../clock.ts'
import { addressesOf, parseSearchParameter, type SearchParameter } from '../config/search-parameters.ts'
import { type Place, showPlace } from '../domain/place.ts'
import { type Refusal, refuse } from '../errors.ts'
import {
  detailOf,
  helpAfter,
  judgeClock,
  judgeOffers,
  refusedOffers,
  skipped,
  type TestStep,
  testStepOf,
  testSteps,
} from './connection-words.ts'
import { Gate } from './gate.ts'
import { cleanName } from './known-agent.ts'
import type { OutgoingProxy } from './outgoing-proxy.ts'
import type { Answered, Knock, Missed, Network, Prober } from './prober.ts'

export interface TestReport {
  readonly kind: 'tested'
  readonly address: string
  /** Everything passed. */
  readonly reached: boolean
  readonly agent?: { readonly id: string; readonly name: string }
  readonly steps: readonly TestStep[]
}

export interface ConnectionTestParts {
  readonly network: Network
  readonly prober: Pick<Prober, 'probe' | 'offers'>
  readonly timers: Timers
  /** Elapsed ms. */
  readonly now: () => number
  readonly self: string
  /** Absent: there is none. */
  readonly proxy?: Pick<OutgoingProxy, 'leadsTo' | 'test'>
}

const patience = 5000
const knockPatience = 2000
const knockAtOnce = 64
/** Addresses of a range that a test tries; larger ones are for the search. */
const mostAddresses = 1024

type Range = SearchParameter & { readonly kind: 'range' }
type Target = SearchParameter & { readonly kind: 'place' }

export class ConnectionTest {
  readonly #parts: ConnectionTestParts

  constructor(parts: ConnectionTestParts) {
    this.#parts = parts
  }

  /** @param text one search parameter, as it is typed */
  async run(text: string, closed: AbortSignal): Promise<TestReport | Refusal> {
    const signal = AbortSignal.any([closed])
    // Every address that is tried listens to it.
    setMaxListeners(0, signal)
    const parameter = parseSearchParameter(text)
    if (parameter.kind === 'wrong') {
      const fields = [{ field: 'address', message: parameter.reason }]
      return refuse('invalid_request', `“${cleanName(text)}” can not be tested: ${parameter.reason}.`, { fields })
    }
    return parameter.kind === 'range'
      ? await this.#testRange(parameter, signal)
      : await this.#testPlace(parameter, signal)
  }

  async #testPlace(target: Target, signal: AbortSignal): Promise<TestReport | Refusal> {
    const steps: TestStep[] = []
    const { place } = target
    const report = (agent?: TestReport['agent']): TestReport => ({
      kind: 'tested',
      address: target.text,
      reached: steps.every(({ outcome }) => outcome === 'passed'),
      ...(agent === undefined ? {} : { agent }),
      steps: [...steps, ...testSteps.slice(steps.length).map(skipped)],
    })
    const way = (await this.#parts.proxy?.leadsTo(place, signal)) ? this.#throughProxy : this.#straight
    steps.push(...(await way.call(this, place, signal)))
    if (steps.at(-1)?.outcome === 'failed') return report()
    const probed = await this.#probe(target, signal)
    steps.push(...this.#judge(target, probed))
    if (probed.kind !== 'met') return report()
    const { agent: id, name } = probed.hello
    const addressesOfIt = [showPlace(place)]
    const peer = { id, name, addresses: addressesOfIt }
    const answer = await this.#parts.prober.offers(peer, { timeout: patience, signal })
    steps.push(
      answer.kind === 'answered'
        ? judgeOffers(answer.value)
        : answer.kind === 'refused'
          ? refusedOffers(answer.problem.code, answer.problem.detail)
          : { step: 'licenses', outcome: 'failed', detail: answer.detail },
    )
    return report({ id, name: cleanName(name) })
  }

  async #straight(place: Place, signal: AbortSignal): Promise<TestStep[]> {
    const began = this.#parts.now()
    const resolved = await this.#parts.network.resolve(place.host, patience)
    const ms = this.#parts.now() - began
    if (resolved.kind === 'unknown') {
      const help = `Ask the network administrator for the name ${place.host}, or type its address instead.`
      return [{ step: 'name', outcome: 'failed', detail: `${place.host}: ${resolved.detail}.`, help, ms }]
    }
    const { addresses } = resolved
    const detail = addresses.includes(place.host) ? 'It is an address.' : `The name stands for ${addresses.join(', ')}.`
    return [{ step: 'name', outcome: 'passed', detail, ms }, await this.#knockAny(place, addresses, signal)]
  }

  /** The proxy knows the name, and takes the connection there. */
  async #throughProxy(place: Place, signal: AbortSignal): Promise<TestStep[]> {
    const tested = await this.#parts.proxy?.test(place, signal)
    if (tested === undefined || 'kind' in tested) return []
    const { good, steps, ms } = tested
    const name: TestStep = { step: 'name', outcome: 'passed', detail: 'The outgoing proxy looks it up.' }
    if (good) {
      const detail = `The outgoing proxy takes connections to ${showPlace(place)}.`
      return [name, { step: 'tcp', outcome: 'passed', detail, ms }]
    }
    const detail = `By the outgoing proxy: ${steps.at(-1)?.detail ?? ''}.`
    const help = 'See the outgoing proxy under Configuration > Network: its Test button goes step by step.'
    return [name, { step: 'tcp', outcome: 'failed', detail, help, ms }]
  }

  async #knockAny(place: Place, addresses: readonly string[], signal: AbortSignal): Promise<TestStep> {
    const began = this.#parts.now()
    const knocks = await Promise.all(
      addresses.map(async (host) => ({
        host,
        knock: await this.#parts.network.knock({ host, port: place.port }, knockPatience, signal),
      })),
    )
    const ms = this.#parts.now() - began
    const open = knocks.find(({ knock }) => knock.kind === 'open')
    if (open !== undefined)
      return {
        step: 'tcp',
        outcome: 'passed',
        detail: `${showPlace({ ...place, host: open.host })} takes connections.`,
        ms,
      }
    const told = knocks.map(({ host, knock }) => `${showPlace({ ...place, host })}: ${detailOf(knock)}`)
    return {
      step: 'tcp',
      outcome: 'failed',
      detail: `${told.join('; ')}.`,
      help: this.#helpWith(place, knocks[0]?.knock),
      ms,
    }
  }

  #helpWith({ host, port }: Place, knock: Knock | undefined): string {
    const own = this.#parts.network.adapters().find(({ internal, family }) => !internal && family === 'IPv4')
    const from = own === undefined ? 'this machine' : `this machine (${own.address})`
    if (knock?.kind === 'closed')
      return `See whether the agent runs on ${host}, has port ${port}, and lets other machines in: Configuration > Access from Remote Clients there.`
    if (knock?.kind === 'no-route')
      return `Ask the network administrator for a route from ${from} to ${host}, or see whether this machine is connected.`
    return `Ask the network administrator to let TCP port ${port} through from ${from} to ${host}, and see whether that machine is on.`
  }

  async #probe(target: Target, signal: AbortSignal): Promise<Answered | Missed> {
    const stopper = new AbortController()
    const cancel = this.#parts.timers.after(patience, () => stopper.abort())
    try {
      return await this.#parts.prober.probe(target.place, target.id, AbortSignal.any([signal, stopper.signal]))
    } finally {
      cancel()
    }
  }

  #judge(target: Target, probed: Answered | Missed): readonly TestStep[] {
    const ms = (step: Missed['step']): { ms?: number } => {
      const took = probed.steps.find((one) => one.step === step)?.ms
      return took === undefined ? {} : { ms: took }
    }
    const passed = (step: 'tls' | 'identity' | 'version', detail: string): TestStep => ({
      step,
      outcome: 'passed',
      detail,
      ...ms(step),
    })
    if (probed.kind === 'met') {
      const { hello, version, latency, clockDifference } = probed
      return [
        passed('tls', 'It speaks TLS.'),
        passed('identity', `It proved to be ${cleanName(hello.name)} (${hello.agent}).`),
        passed('version', `Both speak version ${version}; it runs Leasehold ${cleanName(hello.version)}.`),
        { step: 'latency', outcome: 'passed', detail: `An answer takes ${Math.round(latency)} ms.`, ms: latency },
        judgeClock(clockDifference),
      ]
    }
    const step = testStepOf(probed.step)
    const order = ['tls', 'identity', 'version'] as const
    const before = order
      .slice(0, order.indexOf(step))
      .map((one) => passed(one, one === 'tls' ? 'It speaks TLS.' : 'It proved who it is.'))
    return [
      ...before,
      { step, outcome: 'failed', detail: probed.detail, help: helpAfter(step, probed.detail, target.id) },
    ]
  }

  async #testRange(range: Range, signal: AbortSignal): Promise<TestReport | Refusal> {
    if (range.count > mostAddresses) {
      const message = `a test tries at most ${mostAddresses} addresses; the search reaches all ${range.count}`
      return refuse('invalid_request', `${range.text}: ${message}.`, { fields: [{ field: 'address', message }] })
    }
    const gate = new Gate(knockAtOnce)
    const began = this.#parts.now()
    const places = [...addressesOf(range)]
    const knocks = await Promise.all(
      places.map((place) => gate.run(() => this.#parts.network.knock(place, 1000, signal))),
    )
    const open = places.filter((_, index) => knocks[index]?.kind === 'open')
    const ms = this.#parts.now() - began
    const steps: TestStep[] = [{ step: 'name', outcome: 'passed', detail: `It stands for ${range.count} addresses.` }]
    const tcp = `${open.length} of ${range.count} addresses take connections on port ${range.port}.`
    const help = `See whether agents run there and let other machines in, and ask the network administrator to let TCP port ${range.port} through.`
    if (open.length === 0) steps.push({ step: 'tcp', outcome: 'failed', detail: tcp, help, ms })
    else {
      steps.push({ step: 'tcp', outcome: 'passed', detail: tcp, ms })
      const probes = await Promise.all(
        open
          .slice(0, knockAtOnce)
          .map((place) => this.#probe({ kind: 'place', text: showPlace(place), place }, signal)),
      )
      const agents = probes.flatMap((one, index) =>
        one.kind === 'met' && one.hello.agent !== this.#parts.self
          ? [`${cleanName(one.hello.name)} at ${showPlace(open[index] ?? { host: '', port: 0 })}`]
          : [],
      )
      if (agents.length === 0)
        steps.push(
          { step: 'tls', outcome: 'skipped', detail: 'What was found is no agent, or did not let this one in.' },
          { step: 'identity', outcome: 'failed', detail: 'None of them proved to be another agent.', help },
        )
      else
        steps.push(
          { step: 'tls', outcome: 'passed', detail: 'They speak TLS.' },
          { step: 'identity', outcome: 'passed', detail: `Agents: ${agents.join(', ')}.` },
        )
    }
    const reached = steps.every(({ outcome }) => outcome === 'passed')
    return {
      kind: 'tested',
      address: range.text,
      reached,
      steps: [...steps, ...testSteps.slice(steps.length).map(skipped)],
    }
  }
}
