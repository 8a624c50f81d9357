/**
 * Settings: each with its value and where that comes from; changed in whole or in part, at once.
 * Must not import owners.
 */
import { z } from 'zod'
import type { Refusal } from '../../errors.ts'
import { noContent, ok } from '../reply.ts'
import type { Channel } from '../request-view.ts'
import { defineRoute, documentBody, type Route } from '../route.ts'
import {
  changeConfigurationExample,
  configurationExample,
  configurationSchemaExample,
  importConfigurationExample,
  validateConfigurationExample,
} from './agent-examples.ts'
import {
  type ConfigurationEntry,
  type ConfigurationPatch,
  configuration,
  configurationPatch,
  type ImportedConfiguration,
  importConfiguration,
  importedConfiguration,
} from './agent-shapes.ts'
import { text } from './shapes.ts'

export interface ConfigurationParts {
  /** All entries, or those of one section. */
  describe(section?: string): readonly ConfigurationEntry[]
  /** Refused: `invalid_request` with the fact `fields` that lists every wrong one; `read_only_setting`. */
  change(patch: ConfigurationPatch, by: string): Promise<{ readonly kind: 'changed' } | Refusal>
  validate(patch: ConfigurationPatch): { readonly kind: 'valid' } | Refusal
  /** What one setting asks of others and of where the change comes from; refused with the fact `fields`. */
  check?(patch: ConfigurationPatch, channel: Channel): Promise<Refusal | undefined>
  /** Refused: `invalid_request` when there is nothing of a `hasplm.ini` in the text; when applied also as `change`. */
  import(
    text: string,
    order: { readonly apply: boolean; readonly by: string; readonly channel: Channel },
  ): Promise<{ readonly kind: 'imported'; readonly imported: ImportedConfiguration } | Refusal>
  /** JSON Schema of the configuration file. */
  schema(): unknown
}

const sectionQuery = z.strictObject({ section: text(64).optional().describe('only this section, such as basic') })

export function configurationRoutes(parts: ConfigurationParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/configuration',
      guard: 'read',
      operation: 'readConfiguration',
      summary: 'Settings with their values and sources',
      example: configurationExample,
      query: sectionQuery,
      answers: { 200: { description: 'Settings', schema: configuration } },
      handle: ({ query }) => ok({ entries: parts.describe(query.section) }),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/configuration',
      guard: 'administrator',
      operation: 'changeConfiguration',
      summary: 'Change the settings that are named; null goes back to the file or the default',
      description:
        'Takes effect at once, except where the setting says `restart`. All of it is taken or nothing; every wrong field is listed. Settings that an environment variable fixes are refused.',
      example: changeConfigurationExample,
      body: configurationPatch,
      answers: { 200: { description: 'All settings, as they are now', schema: configuration } },
      errors: ['read_only_setting', 'password_needed', 'loopback_only', 'store_unavailable'],
      async handle({ body, authority, channel }) {
        const refused = await parts.check?.(body, channel)
        if (refused !== undefined) return refused
        const outcome = await parts.change(body, authority === 'cli' ? 'command line' : 'administrator')
        return outcome.kind === 'refused' ? outcome : ok({ entries: parts.describe() })
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/configuration/schema',
      guard: 'read',
      operation: 'readConfigurationSchema',
      summary: 'JSON Schema of the configuration file',
      example: configurationSchemaExample,
      answers: { 200: { description: 'A JSON Schema', schema: z.looseObject({}) } },
      handle: () => ok(parts.schema()),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/configuration/validate',
      guard: 'administrator',
      operation: 'validateConfiguration',
      summary: 'Say what a change would be refused for, without making it',
      example: validateConfigurationExample,
      body: configurationPatch,
      answers: { 204: { description: 'It would be taken' } },
      errors: ['read_only_setting', 'password_needed', 'loopback_only'],
      async handle({ body, channel }) {
        const outcome = parts.validate(body)
        if (outcome.kind === 'refused') return outcome
        return (await parts.check?.(body, channel)) ?? noContent
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/configuration/import',
      guard: 'administrator',
      operation: 'importConfiguration',
      summary: 'Say what the settings of a hasplm.ini would change here, and change it',
      description:
        'Without `apply` nothing is changed. Every line is told about: what it becomes here, or why there is nothing for it.',
      example: importConfigurationExample,
      body: importConfiguration,
      bodyLimit: documentBody,
      answers: { 200: { description: 'What is taken and what not', schema: importedConfiguration } },
      errors: ['read_only_setting', 'password_needed', 'loopback_only', 'store_unavailable'],
      async handle({ body, authority, channel }) {
        const by = authority === 'cli' ? 'command line' : 'administrator'
        const outcome = await parts.import(body.text, { apply: body.apply, by, channel })
        return outcome.kind === 'refused' ? outcome : ok(outcome.imported)
      },
    }),
  ]
}
