/**
 * The cookies of the pages that are no sign-in: language, theme, and what the next page says about the last action.
 * Cookies ignore ports, so nothing here is a secret or grants anything. Must not import owners.
 */
import type { Context } from 'koa'
import { z } from 'zod'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const names = { theme: 'leasehold-theme', language: 'leasehold-language', said: 'leasehold-said' } as const
const year = 365 * 86_400_000

const saying = z.strictObject({
  kind: z.enum(['good', 'notice', 'warning']),
  key: z.string().regex(/^said\.[a-z_]{1,64}$/),
  args: z.record(z.string().max(64), z.union([z.string().max(600), z.number()])),
})
/** A sentence of the catalog (`said.…`) that the page after a redirect shows once. */
export type Saying = z.infer<typeof saying>

export function readTheme(ctx: Context): Theme {
  return z.enum(themes).catch('system').parse(ctx.cookies.get(names.theme))
}

export function readLanguage(ctx: Context): string | undefined {
  return ctx.cookies.get(names.language)
}

export function keepAppearance(ctx: Context, choice: { readonly theme?: Theme; readonly language?: string }): void {
  const options = { httpOnly: true, sameSite: 'strict', maxAge: year, overwrite: true } as const
  if (choice.theme !== undefined) ctx.cookies.set(names.theme, choice.theme, options)
  if (choice.language !== undefined) ctx.cookies.set(names.language, choice.language, options)
}

export function say(ctx: Context, words: Saying): void {
  const value = Buffer.from(JSON.stringify(words)).toString('base64url')
  ctx.cookies.set(names.said, value, { httpOnly: true, sameSite: 'strict', maxAge: 60_000, overwrite: true })
}

/** Takes what was said, so that it shows once. */
export function takeSaying(ctx: Context): Saying | undefined {
  const value = ctx.cookies.get(names.said)
  if (value === undefined) return undefined
  ctx.cookies.set(names.said, null, { httpOnly: true, sameSite: 'strict', overwrite: true })
  try {
    return saying.parse(JSON.parse(Buffer.from(value, 'base64url').toString()))
  } catch {
    return undefined
  }
}
