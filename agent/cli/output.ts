/**
 * Where a command writes: results to standard output, everything else to standard error. Nothing from outside reaches a
 * terminal unless it was cleaned. Owns nothing.
 */
import type { CommandIo, CommandOutput } from './io.ts'
import { clean, cleanLines, escapeJson } from './show.ts'
import { type Column, layOut, layOutPairs } from './table.ts'

export class Output {
  readonly #io: CommandIo
  /** Whether the result is JSON. */
  readonly json: boolean
  readonly #gone = new AbortController()

  constructor(io: CommandIo, json: boolean) {
    this.#io = io
    this.json = json
    io.stdout.on('error', () => this.#gone.abort())
    // A terminal that is gone is no reason to end: `run` still has a seat to give back.
    io.stderr.on('error', () => {})
  }

  /** Aborted when nobody reads standard output any more, as behind `| head`. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** A line of the result. */
  line(text: string): void {
    this.#io.stdout.write(`${clean(text)}\n`)
  }

  /** A result of several lines, such as a block. */
  lines(text: string): void {
    this.#io.stdout.write(`${cleanLines(text).replace(/\n*$/, '')}\n`)
  }

  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    const [heading = '', ...others] = layOut(columns, rows)
    this.#io.stdout.write(`${[this.#strong(heading), ...others].join('\n')}\n`)
  }

  pairs(pairs: readonly (readonly [name: string, value: string | number | undefined])[]): void {
    this.#io.stdout.write(`${layOutPairs(pairs).join('\n')}\n`)
  }

  /** JSON as it came from the agent. */
  raw(text: string): void {
    const body = text.replace(/\n*$/, '')
    this.#io.stdout.write(`${this.#io.stdout.isTTY ? escapeJson(body) : body}\n`)
  }

  /** Bytes as they came; waits while the reader is slow. */
  async bytes(piece: Buffer): Promise<void> {
    const { stdout } = this.#io
    const whole = stdout.write(stdout.isTTY ? escapeJson(piece.toString('utf8')) : piece)
    if (whole) return
    await new Promise<void>((resolve) => {
      stdout.once('drain', resolve)
      stdout.once('close', resolve)
    })
  }

  /** Something to know that is not the result. */
  note(text: string): void {
    this.#io.stderr.write(`${clean(text)}\n`)
  }

  #strong(text: string): string {
    return usesColor(this.#io.stdout, this.#io.env) ? `\u001b[1m${text}\u001b[22m` : text
  }
}

function usesColor(stream: CommandOutput, env: CommandIo['env']): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
}
