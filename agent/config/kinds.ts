/**
 * The kinds of values that a setting can have: how each is checked, read from the environment, and described.
 * Leaf module: imports nothing of ours.
 */
import { z } from 'zod'

export type SettingKind = 'switch' | 'number' | 'choice' | 'text' | 'list'
export type SettingValueKind = boolean | number | string | readonly string[]

export interface Kind<T extends SettingValueKind> {
  readonly kind: SettingKind
  readonly schema: z.ZodType<T>
  readonly default: T
  /** What is allowed, to follow "wants": "a whole number from 1 to 9,999". */
  readonly wanted: string
  readonly choices?: readonly string[]
  readonly min?: number
  readonly max?: number
  /** What is wrong with a value that the schema takes; sentences without a full stop. Values that are stored are not asked. */
  check?(value: T): readonly string[]
}

export type FindWrongLines = (
  lines: readonly string[],
) => readonly { readonly line: number; readonly text: string; readonly reason: string }[]

const longestText = 255
const longestList = 1000
/** As many as people read at a time. */
const mostWrongLines = 20
const control = /[\p{Cc}\p{Zl}\p{Zp}]/u

export function onOff(initial: boolean): Kind<boolean> {
  return { kind: 'switch', schema: z.boolean(), default: initial, wanted: 'true or false' }
}

export function whole(initial: number, min: number, max: number): Kind<number> {
  const wanted = `a whole number from ${group(min)} to ${group(max)}`
  return { kind: 'number', schema: z.int().min(min).max(max), default: initial, wanted, min, max }
}

export function choice<const T extends string>(initial: NoInfer<T>, choices: readonly T[]): Kind<T> {
  const wanted = `one of ${choices.join(', ')}`
  // a list of names that is not empty is what z.enum asks for, and every caller gives one
  return { kind: 'choice', schema: z.literal(choices as readonly [T, ...T[]]), default: initial, wanted, choices }
}

interface Shape {
  readonly wanted: string
  readonly pattern: RegExp
  readonly max?: number
  /** What the pattern can not say. */
  readonly isRight?: (value: string) => boolean
}

/** Empty always means "none" and is allowed. */
export function text(shape?: Shape): Kind<string> {
  const max = shape?.max ?? longestText
  const wanted = shape ? `${shape.wanted}, or nothing` : `at most ${max} characters without line breaks`
  return { kind: 'text', schema: itemSchema(shape, max).or(z.literal('')), default: '', wanted, max }
}

export function list(shape?: Shape): Kind<readonly string[]> {
  const max = shape?.max ?? longestText
  const wanted = `a list of ${shape?.wanted ?? `texts of at most ${max} characters`}`
  const schema = z.array(itemSchema(shape, max)).max(longestList).readonly()
  return { kind: 'list', schema, default: [], wanted }
}

/** A list whose lines mean something together. */
export function rules(check: (lines: readonly string[]) => readonly string[]): Kind<readonly string[]> {
  return { ...list(), wanted: 'a list of rules, one a line, as in docs/access-rules.md', check }
}

/** A list whose lines are looked at one by one, so that each wrong one is named with its reason. */
export function checkedLines(wanted: string, findWrongLines: FindWrongLines): Kind<readonly string[]> {
  const check = (lines: readonly string[]): string[] =>
    findWrongLines(lines)
      .slice(0, mostWrongLines)
      .map(({ line, text, reason }) => `line ${line}, ${showValue(text)}: ${reason}`)
  return { ...list(), wanted: `a list of ${wanted}`, check }
}

function itemSchema(shape: Shape | undefined, max: number): z.ZodType<string> {
  const schema = z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !control.test(value))
  if (!shape) return schema
  const shaped = schema.regex(shape.pattern)
  return shape.isRight ? shaped.refine(shape.isRight) : shaped
}

const words: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  '1': true,
  false: false,
  off: false,
  no: false,
  '0': false,
}

/** Reads the text of an environment variable; what can't be read comes back as it is, for the schema to refuse. */
export function readText(kind: SettingKind, value: string): SettingValueKind {
  switch (kind) {
    case 'switch':
      return words[value.trim().toLowerCase()] ?? value
    case 'number':
      return /^[+-]?\d+$/.test(value.trim()) ? Number(value) : value
    case 'list':
      return value
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== '')
    case 'choice':
    case 'text':
      return value.trim()
  }
}

/** How a value is shown in a message. */
export function showValue(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value)
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown
}

function group(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}
