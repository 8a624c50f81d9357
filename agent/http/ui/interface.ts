/**
 * The page about the HTTP interface: the description that programs get, laid out for people. Works without any network.
 * Must not import owners.
 */
import type { ErrorCode } from '../../errors.ts'
import type { Language } from '../../language.ts'
import type { JsonSchema } from '../json-schema.ts'
import { resolveComponent } from '../json-schema.ts'
import type { Content, Description, MediaType, Operation, Parameter, Response } from '../openapi-document.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { describeType, listRows, listRules, type Piece, type SchemaRow } from './schema-rows.ts'

export async function showInterface(page: Page, parts: Parts): Promise<void> {
  const description = parts.interface.describe()
  const { language } = page
  const { components, info, tags } = description
  const calls = listCalls(description, language)
  await page.show('pages/interface', {
    title: language.t('interface.title'),
    introduction: info.description.split('\n\n').map(splitCode),
    groups: tags.map(({ name, description: text }) => ({
      id: `group-${name.toLowerCase()}`,
      name,
      text,
      calls: calls.filter(({ group }) => group === name),
    })),
    shapes: Object.entries(components.schemas).map(([name, schema]) => ({
      name,
      text: schema.description ?? '',
      type: schema.properties === undefined ? describeType({ ...schema, description: '' }, language) : [],
      rows: listRows(schema, language),
    })),
    refusal: writeJson(components.examples.no_seats?.value),
  })
}

/** Text with `code` in it. */
interface Prose {
  readonly text: string
  readonly code: boolean
}

function splitCode(text: string): readonly Prose[] {
  return text.split('`').map((piece, index) => ({ text: piece, code: index % 2 === 1 }))
}

function listCalls(description: Description, language: Language) {
  return Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) =>
      viewCall(`${method.toUpperCase()} ${path}`, operation, description, language),
    ),
  )
}

function viewCall(call: string, operation: Operation, { components }: Description, language: Language) {
  const { requestBody, parameters = [], responses } = operation
  return {
    id: operation.operationId,
    group: operation.tags[0],
    call,
    summary: operation.summary,
    text: splitCode(operation.description ?? ''),
    guard: operation['x-guard'],
    parameters: parameters.map((parameter) => viewParameter(parameter, language)),
    body: requestBody && {
      required: requestBody.required,
      contents: viewContents(requestBody.content, components.schemas, language),
    },
    answers: Object.entries(responses).flatMap(([status, response]) =>
      viewAnswer(status, response, components.schemas, language),
    ),
    refusals: Object.entries(responses).flatMap(([status, response]) => viewRefusals(status, response, language)),
    curl: operation['x-codeSamples'][0]?.source ?? '',
  }
}

function viewParameter({ name, in: place, required, schema, description = '' }: Parameter, language: Language) {
  return {
    name,
    place,
    required,
    type: describeType(schema, language),
    rules: listRules(schema, language),
    text: description,
  }
}

const problemType = 'application/problem+json'

function viewAnswer(
  status: string,
  { description, headers = {}, content = {} }: Response,
  shapes: Readonly<Record<string, JsonSchema>>,
  language: Language,
) {
  const { [problemType]: problem, ...rest } = content
  if (problem !== undefined && Object.keys(rest).length === 0) return []
  // What is said of the refusals of the same status stands there.
  const [text = ''] = problem === undefined ? [description] : description.split('; or ')
  return [
    {
      status,
      text,
      headers: Object.entries(headers).flatMap(([name, header]) =>
        'description' in header ? [{ name, text: header.description }] : [],
      ),
      contents: viewContents(rest, shapes, language),
    },
  ]
}

interface ContentView {
  readonly type: string
  readonly kind: readonly Piece[]
  readonly rows: readonly SchemaRow[]
  readonly example: string | undefined
}

/** Named shapes are described once, further down; what has no name is described here. */
function viewContents(
  content: Content,
  shapes: Readonly<Record<string, JsonSchema>>,
  language: Language,
): readonly ContentView[] {
  return Object.entries(content).map(([type, { schema, example }]) => {
    const named = resolveComponent(schema, shapes) !== schema
    return {
      type,
      kind: named ? describeType(schema, language) : [],
      rows: named ? [] : listRows(schema, language),
      example: writeExample(example),
    }
  })
}

function writeExample(example: MediaType['example']): string | undefined {
  if (example === undefined || typeof example === 'string') return example
  return writeJson(example)
}

function writeJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

function viewRefusals(status: string, { content = {} }: Response, { t }: Language) {
  const codes = Object.keys(content[problemType]?.examples ?? {}) as ErrorCode[]
  if (codes.length === 0) return []
  return [{ status, codes: codes.map((code) => ({ code, title: t(`error.${code}.title`) })) }]
}
