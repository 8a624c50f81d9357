/**
 * Follows a walk from top to bottom at one place and stops at the first thing that is not as the document says.
 * Everything it started is ended when it returns. Imports the walk's own files only.
 */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { WalkBrowser } from './walk-browser.ts'
import { type Block, type Command, parseWalk } from './walk-document.ts'
import { type Captures, type Comparison, compareOutput, substitute } from './walk-patterns.ts'
import { adaptDocument, type WalkPlace } from './walk-place.ts'
import { WalkShell } from './walk-shell.ts'

/** The document and what happened differ; the message says where and how. */
export class WalkFailure extends Error {
  constructor(name: string, line: number, what: string, details: string) {
    super(`${name}:${line}: ${what}\n${details}`)
    this.name = 'WalkFailure'
  }
}

export interface WalkResult {
  readonly commands: number
  readonly steps: number
  readonly captures: Captures
}

/**
 * @param name what to call the document in messages
 * @throws WalkFailure when an expectation fails; WalkSyntaxError when the document can't be followed
 */
export async function followWalk(name: string, text: string, place: WalkPlace): Promise<WalkResult> {
  const blocks = parseWalk(adaptDocument(text, place))
  const walk = new Walk(name, place)
  try {
    for (const block of blocks) await walk.follow(block)
    return walk.result()
  } finally {
    await walk.close()
  }
}

type Attempt = { readonly kind: 'good' } | { readonly kind: 'bad'; readonly what: string; readonly details: string }

class Walk {
  readonly #name: string
  readonly #place: WalkPlace
  readonly #shell: WalkShell
  readonly #browser: WalkBrowser
  #captures: Captures = {}
  #commands = 0
  #steps = 0

  constructor(name: string, place: WalkPlace) {
    this.#name = name
    this.#place = place
    this.#shell = new WalkShell(place)
    this.#browser = new WalkBrowser(place)
  }

  result(): WalkResult {
    return { commands: this.#commands, steps: this.#steps, captures: this.#captures }
  }

  async close(): Promise<void> {
    await this.#browser.close()
    await this.#shell.close()
  }

  async follow(block: Block): Promise<void> {
    switch (block.kind) {
      case 'file':
        await writeFile(path.join(this.#place.folder, block.name), substitute(block.text, this.#captures))
        return
      case 'console':
        for (const command of block.commands) await this.#type(command, block.timeout, block.within)
        return
      case 'browser':
        for (const step of block.steps) {
          const outcome = await this.#browser.follow(step, this.#captures)
          if (outcome.kind === 'failed') throw new WalkFailure(this.#name, step.line, step.source, outcome.reason)
          await this.#keep(outcome.captures)
          this.#steps += 1
        }
    }
  }

  async #type(command: Command, timeout: number, within: number | undefined): Promise<void> {
    this.#commands += 1
    const attempt = command.background
      ? await this.#background(command, timeout)
      : await this.#repeat(command, timeout, within)
    if (attempt.kind === 'bad')
      throw new WalkFailure(this.#name, command.line, attempt.what, `$ ${command.text}\n${attempt.details}`)
  }

  async #repeat(command: Command, timeout: number, within: number | undefined): Promise<Attempt> {
    const deadline = AbortSignal.timeout(within ?? 0)
    for (;;) {
      // The last attempt may begin before the deadline and end after it; one that began later does not count.
      const attempt = await this.#once(command, timeout)
      if (attempt.kind === 'good' || within === undefined) return attempt
      if (deadline.aborted) return { ...attempt, what: `${attempt.what}, for ${within / 1000} s` }
      await pause(200)
    }
  }

  async #once(command: Command, timeout: number): Promise<Attempt> {
    const outcome = await this.#shell.run(command.text, timeout)
    if (outcome.kind === 'timed-out')
      return { kind: 'bad', what: `the command did not end in ${timeout / 1000} s`, details: outcome.output }
    if (outcome.kind === 'shell-gone')
      return { kind: 'bad', what: 'the command ended the shell', details: outcome.output }
    if (outcome.status !== 0)
      return { kind: 'bad', what: `the command failed with exit code ${outcome.status}`, details: outcome.output }
    if (command.expected.length === 0) return { kind: 'good' }
    return this.#judge(compareOutput(readExpected(command), outcome.output, this.#captures))
  }

  async #judge(comparison: Comparison): Promise<Attempt> {
    if (comparison.kind === 'different')
      return {
        kind: 'bad',
        what: 'the output differs (- expected, + came)',
        details: comparison.difference,
      }
    await this.#keep(comparison.captures)
    return { kind: 'good' }
  }

  /** Waits until the expected lines are somewhere in what the command has printed. */
  async #background(command: Command, timeout: number): Promise<Attempt> {
    const background = await this.#shell.runBackground(command.text)
    const expected = readExpected(command)
    if (expected.length === 0) return { kind: 'good' }
    const deadline = AbortSignal.timeout(timeout)
    for (;;) {
      const running = background.isRunning()
      const output = await background.output()
      const comparison = compareOutput(['…', ...expected, '…'], output, this.#captures)
      const attempt = await this.#judge(
        comparison.kind === 'same' ? comparison : compareOutput(expected, output, this.#captures),
      )
      if (attempt.kind === 'good') return attempt
      if (!running) return { ...attempt, what: `the command ended; ${attempt.what}` }
      if (deadline.aborted) return { ...attempt, what: `${attempt.what}, after ${timeout / 1000} s` }
      await pause(50)
    }
  }

  /** Captured values are variables of the shell, too. */
  async #keep(captures: Captures): Promise<void> {
    for (const [name, value] of Object.entries(captures)) {
      if (this.#captures[name] === undefined) await this.#shell.setVariable(name, value)
    }
    this.#captures = captures
  }
}

function readExpected(command: Command): string[] {
  return command.expected.map((line) => line.text)
}
