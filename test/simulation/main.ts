/**
 * `npm run simulate -- --seed S --steps N [--agents N] [--runs R] [--detaching] [--row] [--sites] [--counts-only] [--trace N]`: runs seeds S, S + 1 and so on, N
 * steps each, and prints what happened or the failure with the last N happenings. Without `--agents` each seed has 1 to 6.
 */
import { parseArgs } from 'node:util'
import { SimulationFailure, simulate } from './simulation.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '20000' },
    agents: { type: 'string' },
    trace: { type: 'string', default: '60' },
    runs: { type: 'string', default: '1' },
    'counts-only': { type: 'boolean', default: false },
    detaching: { type: 'boolean', default: false },
    row: { type: 'boolean', default: false },
    sites: { type: 'boolean', default: false },
  },
})

const first = Number(values.seed)
const began = performance.now()
try {
  for (let seed = first; seed < first + Number(values.runs); seed++) {
    const agents = values.agents === undefined ? 1 + (seed % 6) : Number(values.agents)
    const report = await simulate({
      seed,
      agents,
      steps: Number(values.steps),
      checksBacking: !values['counts-only'],
      detaching: values.detaching,
      isRow: values.row,
      sites: values.sites,
      traceLength: Number(values.trace),
    })
    const seconds = Math.round(report.time / 1000)
    console.log(
      `seed ${seed}, agents ${agents}: ${report.steps} steps, ${seconds} s of simulated time, ${report.revision} batches: good`,
    )
    if (Number(values.runs) === 1) console.log(report.happened)
  }
  console.log(`${((performance.now() - began) / 1000).toFixed(1)} s`)
} catch (error) {
  if (!(error instanceof SimulationFailure)) throw error
  console.error(error.message)
  process.exitCode = 1
}
