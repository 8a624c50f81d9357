/** `leasehold search`: searches for other agents now and prints each step as it comes. */
import { type SearchState, type SearchStep, searchAnswer, startedSearch } from './answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { plural } from './show.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

/** ms between two looks at a search that runs. */
const lookEvery = 500
const usualPatience = 60

export const searchVerb: Verb = {
  name: 'search',
  summary: 'Search for other agents now, and say what was tried',
  description: [
    'Searches by all that the settings allow: leasehold config get remote.broadcast remote.aggressive remote.search. A search of large ranges goes on in the agent when the command ends.',
  ],
  arguments: [],
  options: [
    {
      name: 'wait',
      kind: 'whole',
      value: 'SECONDS',
      min: 0,
      max: 3600,
      help: `How long to follow the search; ${usualPatience} when left out`,
    },
    ...agentOptions,
  ],
  run: followSearch,
}

async function followSearch({ agent, given, io, out }: Invocation): Promise<number> {
  const started = await ask(agent, { method: 'POST', path: '/api/v1/search' }, startedSearch)
  if (started.kind !== 'answer') return failUnanswered(out, agent, started)
  let text = started.text
  let search: SearchState = started.value
  const printed = new Map<number, string>()
  const deadline = io.clock.atLeast() + (given.whole('wait') ?? usualPatience) * 1000
  for (;;) {
    if (!out.json) printNew(search.steps, printed, (line) => out.line(line))
    if (search.state === 'done' || io.clock.atLeast() >= deadline || out.gone.aborted) break
    await new Promise<void>((resolve) => void io.timers.after(lookEvery, resolve))
    const asked = await ask(agent, { method: 'GET', path: '/api/v1/search' }, searchAnswer)
    if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
    if (asked.value.search === undefined) break
    // Another search has taken its place: the settings were changed.
    if (asked.value.search.id !== search.id) printed.clear()
    search = asked.value.search
    text = asked.text
  }
  if (out.json) {
    out.raw(text)
    return 0
  }
  for (const note of search.notes) out.note(note)
  const tried = `${plural(search.tried, 'address', 'addresses')} tried, ${plural(search.found, 'agent')} found`
  out.note(search.state === 'done' ? `${tried}.` : `${tried} so far; the search goes on.`)
  return 0
}

/** What is tried is worth a line only once it has come out. */
function printNew(steps: readonly SearchStep[], printed: Map<number, string>, print: (line: string) => void): void {
  for (const { number, address, foundBy, step, result, detail, ms, addresses, agent } of steps) {
    if (result === 'running' || printed.get(number) === result) continue
    printed.set(number, result)
    const what: Readonly<Record<string, string>> = {
      found: `found ${agent?.name ?? ''}${ms === undefined ? '' : ` in ${Math.round(ms)} ms`}`,
      self: 'is this agent',
      failed: `no agent (${step}): ${detail}`,
      nothing: `${plural(addresses, 'address', 'addresses')}, nothing answers`,
    }
    print(`${address}  ${foundBy}  ${what[result] ?? result}`)
  }
}
