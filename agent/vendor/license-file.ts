/**
 * The license file: what a vendor writes, in YAML, to issue a license. Same names and limits as the license itself; the vendor's
 * key, ids and seconds are filled in when it is issued.
 */
import { LineCounter, type Node, parseDocument } from 'yaml'
import { z } from 'zod'
import { shortName } from '../domain/documents/fields.ts'
import { explainIssues, type FieldIssue } from '../domain/documents/issues.ts'
import { activationRules, checkTerms, licenseTerms, vendorLinks } from '../domain/documents/license.ts'

/** `2026-12-01`, or an instant with its zone. */
const day = /^\d{4}-\d{2}-\d{2}$/
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/

const dateText = z
  .string()
  .regex(
    new RegExp(`${day.source}|${instant.source}`),
    'must be a day such as 2026-12-01, or an instant such as 2026-12-01T08:00:00+01:00',
  )
  .refine((text) => readDate(text, 'start') !== undefined, 'is not a day of the calendar')

/** Seconds since 1970. A day begins at 00:00:00 UTC and ends with 23:59:59 UTC; undefined for a day that there is not. */
export function readDate(text: string, edge: 'start' | 'end'): number | undefined {
  const isDay = day.test(text)
  const at = Date.parse(isDay ? `${text}T${edge === 'start' ? '00:00:00' : '23:59:59'}Z` : text)
  if (Number.isNaN(at)) return undefined
  // 30 February would be read as 2 March.
  const noon = new Date(`${text.slice(0, 10)}T12:00:00Z`)
  return noon.toISOString().slice(0, 10) === text.slice(0, 10) ? Math.floor(at / 1000) : undefined
}

export const licenseFileSchema = z
  .strictObject({
    vendor: shortName.describe('short name of the vendor, as given to "vendor init"'),
    links: vendorLinks.optional().describe("the vendor's pages, shown with the license"),
    ...licenseTerms,
    kind: licenseTerms.kind.default('network'),
    count: licenseTerms.count.default('session'),
    starts: dateText.optional().describe('first day (from 00:00 UTC) or instant; absent: valid at once'),
    ends: dateText.optional().describe('last day (until 23:59:59 UTC) or instant; absent and no months: perpetual'),
    months: z.int().min(1).max(1200).optional().describe('length in calendar months from the start, in place of ends'),
    activation: activationRules.optional().describe('how the license is bound to a machine (default: it is)'),
  })
  .superRefine((file, context) => {
    const say = (message: string, path: readonly (string | number)[]) =>
      context.addIssue({ code: 'custom', message, path: [...path] })
    checkTerms(file, say)
    if (file.ends !== undefined && file.months !== undefined)
      say('stands beside ends; one of the two is enough', ['months'])
    const start = readDate(file.starts ?? '', 'start')
    const end = readDate(file.ends ?? '', 'end')
    if (start !== undefined && end !== undefined && end <= start) say('is not after starts', ['ends'])
  })

/** As checked, with its defaults. */
export type LicenseFile = z.output<typeof licenseFileSchema>
/** As written. */
export type LicenseFileInput = z.input<typeof licenseFileSchema>

export interface LocatedIssue {
  readonly message: string
  /** From 1; absent for what is not in the file. */
  readonly line?: number
  readonly column?: number
}

export interface LicenseFileReading {
  readonly kind: 'read'
  readonly fields: Readonly<Record<string, unknown>>
  /** Where the field of this path stands, or the nearest thing around it. */
  locate(path: readonly (string | number)[]): { line: number; column: number }
}

export interface UnreadableFile {
  readonly kind: 'unreadable'
  readonly issues: readonly LocatedIssue[]
}

/** Reads the YAML; the fields are not checked yet, since flags may change them. */
export function readLicenseFile(text: string): LicenseFileReading | UnreadableFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, version: '1.2', schema: 'core' })
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  if (document.errors.length > 0) {
    const issues = document.errors.map((error) => ({
      message: error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? 'no YAML',
      ...position(error.pos[0]),
    }))
    return { kind: 'unreadable', issues }
  }
  let fields: unknown
  try {
    fields = document.toJS({ maxAliasCount: 50 })
  } catch (error) {
    return { kind: 'unreadable', issues: [{ message: error instanceof Error ? error.message : 'no YAML' }] }
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    return {
      kind: 'unreadable',
      issues: [{ message: 'a license file is a list of "name: value" lines', line: 1, column: 1 }],
    }
  const locate = (path: readonly (string | number)[]) => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as Node | undefined
      if (node?.range) return position(node.range[0])
    }
    return { line: 1, column: 1 }
  }
  return { kind: 'read', fields: Object.fromEntries(Object.entries(fields)), locate }
}

export type CheckedFile =
  | { readonly kind: 'good'; readonly file: LicenseFile }
  | { readonly kind: 'bad'; readonly issues: readonly FieldIssue[] }

export function checkLicenseFile(fields: unknown): CheckedFile {
  const parsed = licenseFileSchema.safeParse(fields)
  return parsed.success ? { kind: 'good', file: parsed.data } : { kind: 'bad', issues: explainIssues(parsed.error) }
}

/** JSON Schema of the license file, for editors. */
export function licenseFileJsonSchema(): object {
  return { title: 'Leasehold license file', ...z.toJSONSchema(licenseFileSchema, { io: 'input' }) }
}
