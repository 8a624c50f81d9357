/**
 * `npm run bench`: measures the agent with its store on disk over loopback HTTP against a bare server, and agents that lease from
 * each other, and prints ratios that hold on any machine. `--quick` takes minutes, `--part seats` or `--part network` is one of
 * the two, `--json FILE` keeps the figures. Imports the plans and what runs them.
 */
import { writeFile } from 'node:fs/promises'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { runNetworkPlan } from './network.ts'
import { makeNetworkPlan, networkSeconds } from './network-plan.ts'
import { makePlan, planSeconds } from './plan.ts'
import { runPlan } from './run.ts'

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, part: { type: 'string' } },
})
const { quick, json, part } = values
if (part !== undefined && part !== 'seats' && part !== 'network') throw new Error('the parts are: seats, network')

const say = (line: string): void => console.log(line)
const plan = part === 'network' ? undefined : makePlan(quick)
const network = part === 'seats' ? undefined : makeNetworkPlan(quick)
const seconds = (plan ? planSeconds(plan) : 0) + (network ? networkSeconds(network) : 0)
say(`About ${Math.ceil(seconds / 60)} minutes of load.`)

if (plan) say('Ratio: to a bare node:http POST of the same body.')
const result = plan && (await runPlan(plan, say))
if (result?.idleMemory !== undefined) say(`memory with a license and no session: ${Math.round(result.idleMemory)} MiB`)
if (network) say('Between agents; ratio: to a seat of a license of the machine itself.')
const between = network && (await runNetworkPlan(network, say))

if (json !== undefined) {
  const machine = {
    cpu: os.cpus()[0]?.model ?? '',
    cores: os.cpus().length,
    system: `${os.platform()} ${os.release()}`,
  }
  const report = { node: process.version, machine, plan, ...result, network: between && { plan: network, ...between } }
  await writeFile(json, `${JSON.stringify(report, null, 2)}\n`)
}
