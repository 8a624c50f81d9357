/** Texts that a command reads and writes: a file, or `-` for standard input. Owns nothing. */
import { readFile, writeFile } from 'node:fs/promises'
import { fail } from './failure.ts'
import type { CommandIo } from './io.ts'
import type { Output } from './output.ts'

/** More than any text of documents that an agent takes. */
const mostBytes = 1024 * 1024

export type TextRead =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'failed'; readonly exit: number }

export async function readInput(io: CommandIo, out: Output, file: string): Promise<TextRead> {
  try {
    return { kind: 'text', text: file === '-' ? await readStream(io.stdin) : await readSized(file) }
  } catch (error) {
    const name = file === '-' ? 'Standard input' : file
    return { kind: 'failed', exit: fail(out, 'unreadable_file', `${name} can not be read: ${reasonOf(error)}.`) }
  }
}

async function readSized(file: string): Promise<string> {
  const bytes = await readFile(file)
  if (bytes.length > mostBytes) throw new Error('it is too large')
  return bytes.toString('utf8')
}

async function readStream(stream: CommandIo['stdin']): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of stream) {
    const bytes = Buffer.from(piece)
    length += bytes.length
    if (length > mostBytes) throw new Error('it is too large')
    pieces.push(bytes)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** Writes a block to a file, or prints it where no file is named. @returns an exit code where that failed */
export async function deliver(
  out: Output,
  file: string | undefined,
  text: string,
  what: string,
): Promise<number | undefined> {
  if (file === undefined || file === '-') {
    out.lines(text)
    return undefined
  }
  try {
    await writeFile(file, `${text.replace(/\n*$/, '')}\n`)
  } catch (error) {
    // The block is not lost: it is printed, and with --json it was already.
    if (!out.json) out.lines(text)
    return fail(out, 'unreadable_file', `${file} can not be written: ${reasonOf(error)}.`)
  }
  const said = `${what} is in ${file}.`
  if (out.json) out.note(said)
  else out.line(said)
  return undefined
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file or folder',
    EACCES: 'this user may not',
    EISDIR: 'it is a folder',
    ENOSPC: 'the disk is full',
  }
  return known[code] ?? error.message
}
