/**
 * The parts of an OpenAPI 3.1 document that the interface description uses, as types: what `openapi.ts` makes and the page
 * about the interface shows.
 * Types only; must not import owners.
 */
import type { Guard } from './guards.ts'
import type { JsonSchema } from './json-schema.ts'

export interface Description {
  readonly openapi: string
  readonly info: {
    readonly title: string
    readonly version: string
    readonly summary: string
    readonly description: string
    readonly license: { readonly name: string; readonly identifier: string }
  }
  readonly servers: readonly { readonly url: string; readonly description: string }[]
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly examples: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>
    readonly headers: Readonly<Record<string, Header>>
    readonly securitySchemes: Readonly<Record<string, SecurityScheme>>
  }
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: RequestBody
  readonly responses: Readonly<Record<string, Response>>
  /** Who may do it: a name of `guards.ts`. */
  readonly 'x-guard': Guard
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly 'x-codeSamples': readonly { readonly lang: string; readonly label: string; readonly source: string }[]
}

export interface RequestBody {
  readonly required: boolean
  readonly content: Content
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
  readonly example?: unknown
}

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, Header | Reference>>
  readonly content?: Content
}

export type Content = Readonly<Record<string, MediaType>>
export interface MediaType {
  readonly schema: JsonSchema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, Reference>>
}

export interface Reference {
  readonly $ref: string
}

export interface Header {
  readonly description: string
  readonly schema: JsonSchema
}

export interface SecurityScheme {
  readonly type: 'apiKey' | 'http'
  readonly in?: 'header' | 'cookie'
  readonly name?: string
  readonly scheme?: 'bearer'
  readonly description: string
}
