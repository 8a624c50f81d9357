/**
 * `npm run bench`: measures the agent with its store on disk over loopback HTTP against a bare server, and prints
 * ratios that hold on any machine. `--quick` takes minutes, `--json FILE` keeps the figures. Imports plan and run.
 */
import { writeFile } from 'node:fs/promises'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { makePlan, planSeconds } from './plan.ts'
import { runPlan } from './run.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } } })

const plan = makePlan(values.quick)
console.log(
  `About ${Math.ceil(planSeconds(plan) / 60)} minutes of load. Ratio: to a bare node:http POST of the same body.`,
)
const result = await runPlan(plan, (line) => console.log(line))
if (result.idleMemory !== undefined)
  console.log(`memory with a license and no session: ${Math.round(result.idleMemory)} MiB`)
if (values.json !== undefined) {
  const machine = {
    cpu: os.cpus()[0]?.model ?? '',
    cores: os.cpus().length,
    system: `${os.platform()} ${os.release()}`,
  }
  const report = { node: process.version, machine, plan, ...result }
  await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
}
