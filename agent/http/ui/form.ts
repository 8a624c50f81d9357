/**
 * Forms as browsers send them, URL-encoded or multipart (with a file), read within a size limit.
 * Must not import owners.
 */
import type { Context } from 'koa'
import { type Refusal, refuse } from '../../errors.ts'

/** Values by field; the text of an uploaded file stands under the name of its field. Only the first value counts. */
export type Form = Readonly<Record<string, string>>
export type ReadForm = { readonly kind: 'read'; readonly form: Form } | Refusal

/** Pasted documents are at most this large; other forms come nowhere near. */
export const formLimit = 256 * 1024
/** Room for the other fields and the multipart frame. */
const overhead = 16 * 1024

/** Takes what a body parser before it left, else reads the body itself. */
export async function readForm(ctx: Context): Promise<ReadForm> {
  const parsed: unknown = (ctx.request as { body?: unknown }).body
  if (parsed !== undefined && parsed !== null && typeof parsed === 'object' && Object.keys(parsed).length > 0)
    return { kind: 'read', form: keepTexts(Object.entries(parsed)) }
  if (ctx.is('urlencoded', 'multipart') === false)
    return refuse('unsupported_media_type', 'The pages take forms as a browser sends them.')
  const body = await readBody(ctx, formLimit + overhead)
  if (body === undefined) return refuse('body_too_large', 'What was sent is larger than 256 KB.')
  try {
    const fields: [string, unknown][] = []
    const data = await new Response(new Uint8Array(body), {
      headers: { 'content-type': ctx.get('content-type') },
    }).formData()
    for (const [name, value] of data) fields.push([name, typeof value === 'string' ? value : await value.text()])
    return { kind: 'read', form: keepTexts(fields) }
  } catch {
    return refuse('malformed_request', 'The form could not be read.')
  }
}

function keepTexts(entries: Iterable<[string, unknown]>): Form {
  const form: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of entries) {
    const first: unknown = Array.isArray(value) ? value[0] : value
    if (typeof first === 'string' && !(name in form)) form[name] = first
  }
  return form
}

async function readBody(ctx: Context, limit: number): Promise<Buffer | undefined> {
  if (Number(ctx.get('content-length')) > limit) return undefined
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of ctx.req as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > limit) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}
