/**
 * Reads a walk: a Markdown document whose `console`, `text file=NAME` and `browser` fences can be followed by a machine.
 * The format is described in docs/walks/README.md. Pure; imports nothing of ours.
 */

export interface Command {
  /** Line of the document, from 1. */
  readonly line: number
  readonly text: string
  /** Ends with `&`: it goes on while the walk does. */
  readonly background: boolean
  readonly expected: readonly ExpectedLine[]
}

export interface ExpectedLine {
  readonly line: number
  readonly text: string
}

export type BrowserStep = { readonly line: number; readonly source: string } & (
  | { readonly kind: 'open'; readonly address: string }
  | { readonly kind: 'fill'; readonly label: string; readonly value: string }
  | { readonly kind: 'fill-file'; readonly label: string; readonly file: string }
  | { readonly kind: 'select'; readonly option: string; readonly label: string }
  | { readonly kind: 'tick'; readonly label: string }
  | { readonly kind: 'press'; readonly button: string }
  | { readonly kind: 'follow'; readonly link: string }
  | { readonly kind: 'choose'; readonly file: string; readonly label: string | undefined }
  | { readonly kind: 'scripts'; readonly on: boolean }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'tab'; readonly name: string }
  | { readonly kind: 'expect'; readonly text: string }
  | { readonly kind: 'expect-no'; readonly text: string }
)

export type Block =
  | {
      readonly kind: 'console'
      readonly line: number
      readonly commands: readonly Command[]
      /** Milliseconds for which commands are repeated until they give what is expected. */
      readonly within: number | undefined
      /** Milliseconds that one command may take. */
      readonly timeout: number
    }
  | { readonly kind: 'file'; readonly line: number; readonly name: string; readonly text: string }
  | { readonly kind: 'browser'; readonly line: number; readonly steps: readonly BrowserStep[] }

/** The document itself can't be followed. */
export class WalkSyntaxError extends Error {
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`)
    this.name = 'WalkSyntaxError'
  }
}

const defaultTimeout = 120_000

interface Fence {
  readonly line: number
  readonly info: string
  readonly body: readonly string[]
}

export function parseWalk(text: string): Block[] {
  return readFences(text).flatMap((fence) => {
    const [word = '', ...options] = fence.info.split(/\s+/)
    if (word === 'console') return [readConsole(fence, options)]
    if (word === 'browser') return [readBrowser(fence)]
    const file = word === 'text' ? options.find((option) => option.startsWith('file=')) : undefined
    if (file === undefined) return []
    const name = file.slice('file='.length)
    if (!/^[\w.-]+$/.test(name)) throw new WalkSyntaxError(fence.line, `file= wants a plain file name, not "${name}"`)
    return [{ kind: 'file' as const, line: fence.line, name, text: fence.body.map((line) => `${line}\n`).join('') }]
  })
}

function readFences(text: string): Fence[] {
  const fences: Fence[] = []
  let open: { line: number; info: string; mark: string; body: string[] } | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const mark = /^(`{3,}|~{3,})(.*)$/.exec(line)
    if (open === undefined) {
      if (mark !== null) open = { line: index + 1, info: (mark[2] ?? '').trim(), mark: mark[1] ?? '', body: [] }
    } else if (mark !== null && (mark[1] ?? '').startsWith(open.mark) && mark[2]?.trim() === '') {
      fences.push(open)
      open = undefined
    } else {
      open.body.push(line)
    }
  }
  if (open !== undefined) throw new WalkSyntaxError(open.line, 'this fence is never closed')
  return fences
}

function readConsole(fence: Fence, options: readonly string[]): Block {
  let within: number | undefined
  let timeout = defaultTimeout
  for (const option of options) {
    const match = /^(within|timeout)=(\d+)s$/.exec(option)
    if (match === null)
      throw new WalkSyntaxError(fence.line, `"${option}" is not one of within=SECONDSs, timeout=SECONDSs`)
    if (match[1] === 'within') within = Number(match[2]) * 1000
    else timeout = Number(match[2]) * 1000
  }
  const commands: { line: number; text: string; background: boolean; expected: ExpectedLine[] }[] = []
  let continued = false
  for (const [index, source] of fence.body.entries()) {
    const line = fence.line + 1 + index
    const last = commands.at(-1)
    if (continued && last !== undefined) last.text += `\n${source.replace(/^> /, '')}`
    else if (source.startsWith('$ ')) commands.push({ line, text: source.slice(2), background: false, expected: [] })
    else if (last === undefined) throw new WalkSyntaxError(line, 'output before the first "$ " command')
    else last.expected.push({ line, text: source })
    continued = (continued || source.startsWith('$ ')) && source.endsWith('\\')
  }
  for (const command of commands) {
    command.background = /(^|[^&])&\s*$/.test(command.text)
    if (command.background) command.text = command.text.replace(/&\s*$/, '').trimEnd()
  }
  return { kind: 'console', line: fence.line, commands, within, timeout }
}

function readBrowser(fence: Fence): Block {
  const steps = fence.body.flatMap((source, index) => {
    const line = fence.line + 1 + index
    return source.trim() === '' ? [] : [readStep(source.trim(), line)]
  })
  return { kind: 'browser', line: fence.line, steps }
}

const stepForms: readonly [RegExp, (words: readonly string[]) => object][] = [
  [/^open (\S+)$/, ([address]) => ({ kind: 'open', address })],
  [/^fill "(.+?)" with file (\S+)$/, ([label, file]) => ({ kind: 'fill-file', label, file })],
  [/^fill "(.+?)" with "(.*)"$/, ([label, value]) => ({ kind: 'fill', label, value })],
  [/^select "(.+?)" in "(.+)"$/, ([option, label]) => ({ kind: 'select', option, label })],
  [/^tick "(.+)"$/, ([label]) => ({ kind: 'tick', label })],
  [/^press "(.+)"$/, ([button]) => ({ kind: 'press', button })],
  [/^follow "(.+)"$/, ([link]) => ({ kind: 'follow', link })],
  [/^choose (\S+) for "(.+)"$/, ([file, label]) => ({ kind: 'choose', file, label })],
  [/^choose (\S+)$/, ([file]) => ({ kind: 'choose', file, label: undefined })],
  [/^scripts (on|off)$/, ([state]) => ({ kind: 'scripts', on: state === 'on' })],
  [/^key (\S+)$/, ([key]) => ({ kind: 'key', key })],
  [/^tab to "(.+)"$/, ([name]) => ({ kind: 'tab', name })],
  [/^expect no "(.+)"$/, ([text]) => ({ kind: 'expect-no', text })],
  [/^expect "(.+)"$/, ([text]) => ({ kind: 'expect', text })],
]

function readStep(source: string, line: number): BrowserStep {
  for (const [form, build] of stepForms) {
    const match = form.exec(source)
    if (match !== null) return { line, source, ...build(match.slice(1)) } as BrowserStep
  }
  throw new WalkSyntaxError(line, `"${source}" is not a browser step; docs/walks/README.md lists them`)
}
