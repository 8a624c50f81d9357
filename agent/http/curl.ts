/**
 * A call as a line for the shell, to be copied as it stands.
 * Pure; must not import anything of ours.
 */

export interface CurlCall {
  readonly method: string
  /** Whole, with its query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body?: unknown
  /** The answer is a stream and shown as it comes. */
  readonly live?: boolean
}

export function writeCurl({ method, url, headers, body, live = false }: CurlCall): string {
  const parts = [`curl -s${live ? 'N' : ''}${method === 'GET' ? '' : ` -X ${method}`} ${quote(url)}`]
  const sent = body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' }
  for (const [name, value] of Object.entries(sent)) parts.push(`-H ${quote(`${name}: ${value}`)}`)
  if (body !== undefined) parts.push(`-d ${quote(JSON.stringify(body))}`)
  return parts.join(' \\\n  ')
}

/** In single quotes a shell leaves everything as it is. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
