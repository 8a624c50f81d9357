/**
 * `leasehold run`: gives any program a seat for as long as it runs (X8). The session has the pid of this process, so that
 * the agent takes the seat back when it is killed (R29). Owns the seat and the program.
 */
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import type { Problem } from '../client/answers.ts'
import { obtainSeat, type SeatParts, type SeatRequest } from '../client/seat.ts'
import { findPatience, type Loss, SeatHolder } from '../client/seat-holder.ts'
import { failUnanswered } from './failure.ts'
import { exitOfSignal, Program, type ProgramEnd, SignalRelay } from './program.ts'
import { clean } from './show.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'
import { showPlace } from './waiting-place.ts'

export const runVerb: Verb = {
  name: 'run',
  summary: 'Run a program with a seat of its own',
  description: [
    'The program is started once the seat is there, gets the streams and signals of this command, and its exit code is handed on (128 and the number of the signal where one ended it). While it runs it counts as active; when it ends the seat goes back.',
    'A refusal says who holds the seats and when the next one is due, and the program is not started. With --wait the command stands in line for a seat first.',
    'A seat that is lost (disconnected by an administrator, or the agent could not be reached for too long) is told on standard error. When there is no other within 60 s, the program is asked to end (SIGTERM); with --on-loss continue it goes on.',
    'In the foreground of a terminal Ctrl-C and Ctrl-\\ reach the program by themselves and are not passed on a second time. Killed with SIGKILL, this command leaves the program running and the agent takes the seat back within 5 s.',
  ],
  arguments: [],
  takesCommand: true,
  options: [
    {
      name: 'product',
      kind: 'text',
      value: 'PRODUCT',
      required: true,
      help: 'The product, as vendor/product, or alone while one vendor has it',
    },
    { name: 'feature', kind: 'text', value: 'FEATURE', help: 'A feature of the product' },
    { name: 'seats', kind: 'whole', value: 'N', min: 1, max: 1_000_000, help: 'So many seats; 1, unless said' },
    { name: 'wait', kind: 'whole', value: 'SECONDS', min: 0, max: 604_800, help: 'Stand in line so long for a seat' },
    {
      name: 'on-loss',
      kind: 'choice',
      choices: ['stop', 'continue'],
      help: 'What becomes of the program when its seat is lost; stop, unless said',
    },
    ...agentOptions,
  ],
  run: runWithSeat,
}

async function runWithSeat(invocation: Invocation): Promise<number> {
  const { given, io, out, agent } = invocation
  const { clock, timers } = io
  const parts: SeatParts = { call: agent.call, clock, timers, newId: randomUUID }
  const request = describeRequest(invocation)
  const wait = given.whole('wait') ?? 0
  const relay = new SignalRelay(io)
  try {
    const stopShowing = wait > 0 ? showPlace(invocation, request) : () => {}
    const asked = await obtainSeat(parts, request, wait, relay.stopped).finally(stopShowing)
    if (relay.stoppedBy !== undefined) {
      if (asked.kind === 'opened') await new SeatHolder(asked.seat, quietHolder(parts, request)).close()
      return exitOfSignal(relay.stoppedBy)
    }
    if (asked.kind !== 'opened') return failUnanswered(out, agent, asked)
    const program = new Program(given.command, io.env)
    relay.passTo(program)
    const { product } = asked.seat
    const goesOn = given.text('on-loss') === 'continue'
    const say = (text: string): void => out.note(`leasehold: ${text}`)
    const holder = new SeatHolder(asked.seat, {
      ...parts,
      request,
      keepTrying: goesOn,
      onLost: (loss) => say(describeLoss(product, loss)),
      onRegained: () => say(`There is a seat of ${product} again.`),
      onGaveUp: (refused) => {
        say(describeGivingUp(product, refused, goesOn))
        if (!goesOn) program.send('SIGTERM')
      },
    })
    holder.start()
    const end = await program.ended
    await holder.close()
    return sayEnd(end, say)
  } finally {
    relay.close()
  }
}

function quietHolder(parts: SeatParts, request: SeatRequest): ConstructorParameters<typeof SeatHolder>[1] {
  const nothing = (): void => {}
  return { ...parts, request, keepTrying: false, onLost: nothing, onRegained: nothing, onGaveUp: nothing }
}

/** Most characters of a name that an agent takes. */
const longestName = 255

function describeRequest({ given, io }: Invocation): SeatRequest {
  const shorten = (text: string): string => clean(text).slice(0, longestName)
  const feature = given.text('feature')
  const account = io.account()
  const program = shorten(path.basename(given.command[0] ?? ''))
  return {
    product: given.text('product') ?? '',
    ...(feature === undefined ? {} : { feature }),
    seats: given.whole('seats') ?? 1,
    ...(account === undefined ? {} : { user: { account: shorten(account) } }),
    host: shorten(io.hostName()),
    process: { id: io.processId, name: program },
    application: program,
  }
}

const patience = `${findPatience / 1000} s`

function describeLoss(product: string, loss: Loss): string {
  const why =
    loss.kind === 'ended' ? loss.problem.detail : 'The agent could not be reached for as long as the seat was promised.'
  return `The seat of ${product} is lost. ${why} Trying for ${patience} to get another.`
}

function describeGivingUp(product: string, refused: Problem | undefined, goesOn: boolean): string {
  const why = refused === undefined ? '' : ` ${refused.detail}`
  const what = goesOn
    ? 'The program goes on without one, and a seat is asked for from time to time.'
    : 'The program is asked to end (SIGTERM).'
  return `No other seat of ${product} within ${patience}.${why} ${what}`
}

function sayEnd(end: ProgramEnd, say: (text: string) => void): number {
  if (end.kind === 'not-started') say(end.detail)
  return end.exit
}
