/**
 * Questions to a person at a terminal: a line that is shown, and a secret that is not. Secrets are never arguments: others
 * could see them in the list of processes. Owns standard input while it asks.
 */
import { StringDecoder } from 'node:string_decoder'
import type { CommandIo } from './io.ts'

export type Typed =
  | { readonly kind: 'typed'; readonly text: string }
  /** Ctrl-C. */
  | { readonly kind: 'interrupted' }
  /** The input ended first. */
  | { readonly kind: 'ended' }

export function isAtTerminal(io: CommandIo): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true
}

export function askLine(io: CommandIo, question: string): Promise<Typed> {
  return readTyped(io, question, true)
}

export function askSecret(io: CommandIo, question: string): Promise<Typed> {
  return readTyped(io, question, false)
}

/** Reads key by key, so that nothing is shown that is not written here. */
function readTyped(io: CommandIo, question: string, shown: boolean): Promise<Typed> {
  const { stdin, stderr } = io
  const decoder = new StringDecoder('utf8')
  const line = new TypedLine((echo) => shown && stderr.write(echo))
  stdin.setRawMode?.(true)
  stderr.write(question)
  return new Promise((resolve) => {
    const finish = (typed: Typed): void => {
      stdin.off('data', take)
      stdin.off('end', end)
      stdin.setRawMode?.(false)
      stdin.pause()
      stderr.write('\n')
      resolve(typed)
    }
    const end = (): void => finish({ kind: 'ended' })
    const take = (piece: Buffer | string): void => {
      const keys = [...(typeof piece === 'string' ? piece : decoder.write(piece))]
      for (const [at, key] of keys.entries()) {
        const typed = line.press(key)
        if (typed === undefined) continue
        finish(typed)
        // What was typed ahead is for the next question.
        const ahead = keys.slice(at + 1).join('')
        if (ahead !== '') stdin.unshift?.(Buffer.from(ahead))
        return
      }
    }
    stdin.on('data', take)
    stdin.on('end', end)
    stdin.resume()
  })
}

/** One line as it is typed, with the keys that correct it. */
class TypedLine {
  readonly #echo: (text: string) => void
  #characters: string[] = []

  constructor(echo: (text: string) => void) {
    this.#echo = echo
  }

  /** @returns the end of the line, once it is reached */
  press(key: string): Typed | undefined {
    switch (key) {
      case '\r':
      case '\n':
        return { kind: 'typed', text: this.#characters.join('') }
      case '\u0003':
        return { kind: 'interrupted' }
      case '\u0004':
        return this.#characters.length === 0 ? { kind: 'ended' } : undefined
      case '\u007f':
      case '\b':
        this.#erase(1)
        return undefined
      case '\u0015':
        this.#erase(this.#characters.length)
        return undefined
    }
    if (key < ' ') return undefined
    this.#characters.push(key)
    this.#echo(key)
    return undefined
  }

  #erase(count: number): void {
    for (const _ of this.#characters.splice(-count, count)) this.#echo('\b \b')
  }
}
