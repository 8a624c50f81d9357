/**
 * The schemas that check requests, as JSON Schema for the interface description. Named ones (`id` in their `meta`) become
 * components that others refer to.
 * Must not import anything of ours.
 */
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'

export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly format?: string
  readonly pattern?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

const where = '#/components/schemas/'

export class SchemaComponents {
  readonly #named = new Map<string, JsonSchema>()

  /** What was referred to so far, by name. */
  get all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#named].sort(([one], [other]) => (one < other ? -1 : 1)))
  }

  /** @param side requests are taken as they are described only; answers may get further members later, so they are open */
  describe(schema: z.ZodType, side: 'request' | 'answer'): JsonSchema {
    // Inside of another, since a schema that stands alone is not made a reference.
    const { properties, $defs = {} } = z.toJSONSchema(z.strictObject({ it: schema }), {
      io: side === 'request' ? 'input' : 'output',
      target: 'draft-2020-12',
      override: ({ jsonSchema }) => tidy(jsonSchema, side),
    }) as { readonly properties?: Record<string, JsonSchema>; readonly $defs?: Record<string, JsonSchema> }
    for (const [name, found] of Object.entries($defs)) {
      const told = pointToComponents(found)
      const before = this.#named.get(name)
      if (before !== undefined && !isDeepStrictEqual(before, told))
        throw new Error(`the schema ${name} is one thing in requests and another in answers`)
      this.#named.set(name, told)
    }
    return pointToComponents(properties?.it ?? {})
  }

  /** The schema itself, where `schema` is a reference to one of ours. */
  resolve(schema: JsonSchema): JsonSchema {
    return resolveComponent(schema, this.all)
  }
}

export function nameOfComponent({ $ref }: JsonSchema): string | undefined {
  return $ref?.startsWith(where) ? $ref.slice(where.length) : undefined
}

export function resolveComponent(schema: JsonSchema, all: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const name = nameOfComponent(schema)
  return name === undefined ? schema : (all[name] ?? schema)
}

/** Takes out what tells nobody anything. */
function tidy(schema: z.core.JSONSchema.BaseSchema, side: 'request' | 'answer'): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  // The format says it, and the pattern is longer than the rest of the schema.
  if (schema.format === 'date-time') delete schema.pattern
  const { additionalProperties: more } = schema
  const says = typeof more === 'object' ? Object.keys(more).length > 0 : more === false && side === 'request'
  if (!says) delete schema.additionalProperties
}

function pointToComponents<Part>(part: Part): Part {
  if (Array.isArray(part)) return part.map(pointToComponents) as Part
  if (typeof part !== 'object' || part === null) return part
  const pairs = Object.entries(part).map(([key, value]) => [
    key,
    key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', where) : pointToComponents(value),
  ])
  return Object.fromEntries(pairs) as Part
}
