/** An agent with a license that needs an activation, and the exchange of blocks with its vendor. */
import type { ExecutionContext } from 'ava'
import { MemoryAgent } from '../helpers/memory-agent.ts'
import { blockOf, type LicenseTerms, openText, type TestLicense, TestVendor } from './test-vendor.ts'

export const needed = { activation: { needed: true } } as const

/** An agent with an installed license that needs an activation. */
export async function begin(terms: LicenseTerms = {}) {
  const vendor = new TestVendor('acme')
  const agent = await MemoryAgent.start()
  const license = vendor.license({ ...needed, ...terms })
  const id = await agent.install(blockOf(license))
  return { vendor, agent, license, id }
}

export async function activate(agent: MemoryAgent, vendor: TestVendor, license: TestLicense): Promise<void> {
  const { id } = license.payload
  const answer = vendor.answer(await agent.requestActivation(id), license, { now: agent.clock.wall() })
  const outcome = await agent.parts.desk.activate(id, answer)
  if (outcome.kind === 'refused') throw new Error(`${outcome.code}: ${outcome.detail}`)
}

export async function refusedAs(t: ExecutionContext, outcome: Promise<{ kind: string }>, code: string): Promise<void> {
  t.like(await outcome, { kind: 'refused', code })
}

export async function receiptOf(agent: MemoryAgent, id: string, confirmOverlap = false) {
  const outcome = await agent.parts.licenses.deactivate(id, confirmOverlap)
  if (outcome.kind !== 'deactivated') throw new Error(`not deactivated but ${JSON.stringify(outcome)}`)
  const opened = openText(agent.parts.desk.writeBlock(outcome.receipt))
  if (opened.typ !== 'leasehold-deactivation') throw new Error(`no receipt but a ${opened.typ}`)
  return opened
}
