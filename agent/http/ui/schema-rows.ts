/**
 * A JSON Schema as rows of a table that people read: one row per member, those of inner objects with their path.
 * Pure; must not import owners or koa.
 */
import type { Language } from '../../language.ts'
import { type JsonSchema, nameOfComponent } from '../json-schema.ts'

type Words = Pick<Language, 't' | 'number'>

/** A piece of text, or a link to a shape that is described elsewhere on the page. */
export interface Piece {
  readonly text: string
  readonly shape?: string
}

export interface SchemaRow {
  /** Path from the outermost object: `user.account`, `items[].id`. */
  readonly name: string
  readonly required: boolean
  readonly type: readonly Piece[]
  /** What is taken, beyond the type. */
  readonly rules: readonly string[]
  readonly text: string
}

/** Rows of the members of an object; of anything else none. */
export function listRows(schema: JsonSchema, words: Words, path = ''): readonly SchemaRow[] {
  const { properties = {}, required = [], additionalProperties, oneOf = [] } = schema
  const rows = Object.entries(properties).flatMap(([name, member]) =>
    describeMember(`${path}${name}`, member, required.includes(name), words),
  )
  if (typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0)
    rows.push(...describeMember(`${path}*`, additionalProperties, false, words))
  return [...rows, ...oneOf.flatMap((one) => listRows(one, words, path))]
}

function describeMember(name: string, schema: JsonSchema, required: boolean, words: Words): SchemaRow[] {
  const inner = schema.items ?? schema
  const rows =
    inner.properties === undefined ? [] : listRows(inner, words, `${name}${schema.items === undefined ? '' : '[]'}.`)
  const type = describeType(schema, words)
  return [{ name, required, type, rules: listRules(schema, words), text: schema.description ?? '' }, ...rows]
}

export function describeType(schema: JsonSchema, words: Words): readonly Piece[] {
  const { t } = words
  const shape = nameOfComponent(schema)
  if (shape !== undefined) return [{ text: shape, shape }]
  if (schema.const !== undefined) return [{ text: JSON.stringify(schema.const) }]
  if (schema.enum !== undefined) return [{ text: schema.enum.map((value) => JSON.stringify(value)).join(' | ') }]
  const either = schema.anyOf ?? schema.oneOf
  if (either !== undefined)
    return either.flatMap((one, index) => [...(index === 0 ? [] : [{ text: ' | ' }]), ...describeType(one, words)])
  if (schema.items !== undefined)
    return [{ text: `${t('interface.type_list')} ` }, ...describeType(schema.items, words)]
  if (schema.format === 'date-time') return [{ text: t('interface.type_time') }]
  return [{ text: nameType(schema.type, words) }]
}

function nameType(type: JsonSchema['type'], { t }: Words): string {
  switch (type) {
    case 'string':
      return t('interface.type_text')
    case 'integer':
      return t('interface.type_whole_number')
    case 'number':
      return t('interface.type_number')
    case 'boolean':
      return t('interface.type_switch')
    case 'null':
      return 'null'
    case 'object':
      return t('interface.type_object')
    default:
      return t('interface.type_any')
  }
}

export function listRules(schema: JsonSchema, { t, number }: Words): readonly string[] {
  const { minimum, maximum, minLength, maxLength, pattern } = schema
  const rules: string[] = []
  if (minimum !== undefined && maximum !== undefined)
    rules.push(t('interface.rule_between', { from: number(minimum), to: number(maximum) }))
  else if (minimum !== undefined && minimum !== 0) rules.push(t('interface.rule_from', { from: number(minimum) }))
  else if (maximum !== undefined) rules.push(t('interface.rule_to', { to: number(maximum) }))
  if (minLength !== undefined && minLength > 1) rules.push(t('interface.rule_longer', { from: number(minLength) }))
  if (maxLength !== undefined) rules.push(t('interface.rule_shorter', { to: number(maxLength) }))
  if (pattern !== undefined) rules.push(pattern)
  if (schema.default !== undefined) rules.push(t('interface.rule_default', { value: JSON.stringify(schema.default) }))
  return rules
}
