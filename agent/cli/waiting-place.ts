/** Shows a person who waits for a seat the place in the line, now and then. Owns nothing. */
import { type WaitingLine, waitingLine } from '../client/answers.ts'
import type { SeatRequest } from '../client/seat.ts'
import { ask } from './failure.ts'
import { pathWith } from './pages.ts'
import type { Invocation } from './verb.ts'

const every = 5_000
const patience = 4_000

/** Only at a terminal. @returns what stops it */
export function showPlace({ io, out, agent }: Invocation, request: SeatRequest): () => void {
  if (!io.stderr.isTTY) return () => {}
  const beganAt = io.clock.wall()
  let shown: number | undefined
  let stopped = false
  const look = async (): Promise<void> => {
    const path = pathWith('/api/v1/queue', { limit: 1000 })
    const asked = await ask(agent, { method: 'GET', path, patience }, waitingLine)
    const position = asked.kind === 'answer' ? findPosition(asked.value, request, beganAt) : undefined
    if (stopped || position === undefined || position === shown) return
    shown = position
    out.note(`leasehold: Waiting for a seat of ${request.product}: number ${position} in line.`)
  }
  let looking = false
  const cancel = io.timers.every(every, () => {
    if (looking) return
    looking = true
    void look().finally(() => {
      looking = false
    })
  })
  return () => {
    stopped = true
    cancel()
  }
}

/** The line names people and machines, no ids: ours is the one that began to wait when we did. */
function findPosition({ items }: WaitingLine, request: SeatRequest, beganAt: number): number | undefined {
  const isOurs = ({ product, user, host }: WaitingLine['items'][number]): boolean =>
    (product === request.product || product.endsWith(`/${request.product}`)) &&
    user?.account === request.user?.account &&
    host === request.host
  const distance = (since: string): number => Math.abs(Date.parse(since) - beganAt)
  const [ours] = items.filter(isOurs).sort((one, other) => distance(one.since) - distance(other.since))
  return ours?.position
}
