/**
 * Writes docs/error-codes.md from the error table: `node build/test/http/error-codes.js`. A test keeps it in step.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { endReasons, errorTable } from '../../agent/errors.ts'

export const errorCodesFile = fileURLToPath(new URL('../../../docs/error-codes.md', import.meta.url))

const introduction = `# Error codes

Every refusal of the HTTP interface is a problem document with one of these codes, and the command line names the same ones.
A code is stable: programs decide by it. Title and help are for people; the pages say them in their language. The members that
some codes have besides are in [the HTTP interface](http-api.md), the calls that can answer a code in the description that the
agent gives at \`/api/v1/openapi.json\`.

This page is written from \`agent/errors.ts\`.
`

export function writeErrorCodes(): string {
  const rows = Object.entries(errorTable)
    .sort(([one, { status }], [other, { status: otherStatus }]) => status - otherStatus || (one < other ? -1 : 1))
    .map(([code, { status, title, help }]) => `| \`${code}\` | ${status} | ${title} | ${help} |`)
  const reasons = endReasons.map((reason) => `\`${reason}\``).join(', ')
  return [
    introduction,
    '| code | status | what is the matter | what to do |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    `\`session_ended\` says under \`reason\` why: ${reasons}.`,
    '',
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(errorCodesFile, writeErrorCodes())
