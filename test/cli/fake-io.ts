/** Streams, environment and time for a command that runs inside a test. */
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { runCommand } from '../../agent/cli/command.ts'
import type { CommandIo } from '../../agent/cli/io.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

class FakeOutput extends EventEmitter {
  text = ''
  isTTY = false

  constructor() {
    super()
    // One command after another listens here; a process runs one.
    this.setMaxListeners(0)
  }

  write(piece: string | Uint8Array): boolean {
    this.text += typeof piece === 'string' ? piece : Buffer.from(piece).toString('utf8')
    this.emit('written')
    return true
  }
}

class FakeInput extends PassThrough {
  isTTY = false
  raw = false

  setRawMode(on: boolean): void {
    this.raw = on
  }
}

export class FakeIo implements CommandIo {
  readonly stdout = new FakeOutput()
  readonly stderr = new FakeOutput()
  readonly stdin = new FakeInput()
  readonly signals = new EventEmitter()
  readonly time = new ManualClock()
  readonly clock = this.time
  readonly timers = this.time
  env: Record<string, string | undefined>
  readonly processId = 4711
  readonly platform = process.platform

  /** @param folder data folder */
  constructor(folder: string) {
    this.env = { PATH: process.env.PATH, LEASEHOLD_DATA: folder }
  }

  account(): string {
    return 'ana'
  }

  hostName(): string {
    return 'ws-17'
  }

  /** Input and messages are a terminal's, and output if said. */
  atTerminal(output = true): this {
    this.stdin.isTTY = true
    this.stderr.isTTY = true
    this.stdout.isTTY = output
    return this
  }

  /** Standard input has this and ends. */
  given(text: string): this {
    this.stdin.end(text)
    return this
  }

  run(...words: string[]): Promise<number> {
    return runCommand(words, this)
  }
}
