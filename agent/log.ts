/**
 * The log: one JSON line per event, for the people who run the agent. Secrets are hidden by name and control characters
 * taken out here, so that no caller has to think of it. Wraps pino; imports nothing of ours.
 */
import pino from 'pino'

export const logLevels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

export type LogFacts = Readonly<Record<string, unknown>>

/** `event` is a short fixed name or sentence; what varies goes into `facts`. An error goes in as `facts.error`. */
export interface Log {
  error(event: string, facts?: LogFacts): void
  warn(event: string, facts?: LogFacts): void
  info(event: string, facts?: LogFacts): void
  debug(event: string, facts?: LogFacts): void
  /** A log whose every line carries `facts`. */
  with(facts: LogFacts): Log
}

/** The log at the root: its level can be changed while it is in use, for all logs made from it. */
export interface RootLog extends Log {
  setLevel(level: LogLevel): void
  /** The last lines that were written, the newest first, as JSON; at most 500 are kept. */
  last(limit: number): readonly string[]
}

/** What takes the lines; `process.stdout` by default, written synchronously so that the last line before a crash is there. */
export interface LogDestination {
  write(line: string): void
}

const hidden = '[hidden]'
const secretName =
  /^(.*password|.*passphrase|.*secret|.*token|.*private[-_]?key|session[-_]?key|key|cookie|set-cookie|authorization|.*pem)$/i
// everything that could forge a line, move a cursor or turn the reading direction
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu
const longestText = 2000
const deepest = 6

const keptLines = 500

export function createLog(level: LogLevel = 'info', destination: LogDestination = openOutput()): RootLog {
  const kept: string[] = []
  let count = 0
  const sink: LogDestination = {
    write(line) {
      kept[count % keptLines] = line
      count += 1
      destination.write(line)
    },
  }
  const settings = { level: level as LogLevel }
  const logger = pino(
    {
      level: 'debug',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'event',
    },
    sink,
  )
  const root = wrap(logger, settings, {})
  return {
    ...root,
    setLevel(wanted) {
      settings.level = wanted
    },
    last: (limit) => {
      const most = Math.min(limit, keptLines, count)
      return Array.from({ length: most }, (_, place) => kept[(count - 1 - place) % keptLines] ?? '')
    },
  }
}

function openOutput(): LogDestination {
  const output = pino.destination({ fd: 1, sync: true })
  // a closed pipe must not end the agent
  output.on('error', () => {})
  return output
}

function wrap(logger: pino.Logger, settings: { readonly level: LogLevel }, bound: LogFacts): Log {
  const write = (level: LogLevel) => (event: string, facts?: LogFacts) => {
    if (logLevels.indexOf(level) > logLevels.indexOf(settings.level)) return
    logger[level](facts === undefined ? bound : { ...bound, ...cleanFacts(facts) }, cleanText(event))
  }
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    with: (facts) => wrap(logger, settings, { ...bound, ...cleanFacts(facts) }),
  }
}

function cleanText(text: string): string {
  const clean = text.replace(unprintable, ' ')
  return clean.length > longestText ? `${clean.slice(0, longestText)}…` : clean
}

function cleanFacts(facts: LogFacts): LogFacts {
  return cleanEntries(facts, 0)
}

function cleanEntries(object: object, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue
    clean[cleanText(name)] = secretName.test(name) ? hidden : cleanValue(value, depth + 1)
  }
  return clean
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest) return '[deeper]'
  if (value instanceof Error) return cleanError(value, depth)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => cleanValue(item, depth + 1))
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  return cleanEntries(value, depth)
}

function cleanError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error
  const code = 'code' in error ? error.code : undefined
  return {
    name,
    message: cleanText(message),
    ...(code === undefined ? {} : { code: cleanValue(code, depth + 1) }),
    // the frames only: the message is above, and a stack is the one text whose lines mean something
    stack: (stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 20)
      .map((line) => cleanText(line.trim())),
    ...(cause === undefined ? {} : { cause: cleanValue(cause, depth + 1) }),
  }
}
