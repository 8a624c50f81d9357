/**
 * The headers of everything that a browser shows. No HSTS: the agent is plain HTTP on localhost.
 * Pure; must not import anything of ours.
 */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeText(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}

/** A page that needs nothing else of the agent, for when the real ones can't or must not be shown. */
export function plainProblemPage(problem: {
  readonly title: string
  readonly detail: string
  readonly help: string
  readonly code: string
  readonly requestId: string
}): string {
  const { title, detail, help, code, requestId } = problem
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeText(title)}</title></head>
<body>
<h1>${escapeText(title)}</h1>
<p>${escapeText(detail)}</p>
<p>${escapeText(help)}</p>
<p><small>${escapeText(code)}, request ${escapeText(requestId)}</small></p>
</body>
</html>
`
}
