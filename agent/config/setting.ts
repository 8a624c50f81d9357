/**
 * What a setting is: a kind of value with its words, its page, and whether it needs a restart; and the shapes of text that
 * several settings share. Imports the kinds and the reader of search parameters only.
 */
import type { Kind, SettingValueKind } from './kinds.ts'
import { parseSearchParameter } from './search-parameters.ts'

export const configurationPages = [
  'basic',
  'remote-managers',
  'remote-clients',
  'user-restrictions',
  'detachable',
  'network',
  'mail',
] as const
export type ConfigurationPage = (typeof configurationPages)[number]

interface Words {
  readonly page: ConfigurationPage
  /** As the page says it. */
  readonly label: string
  /** What it does, in a sentence or two. */
  readonly help: string
  readonly unit?: string
}

export interface Setting<T extends SettingValueKind = SettingValueKind> extends Kind<T>, Words {
  /** Takes effect only when the agent starts anew; everything else at once. */
  readonly needsRestart: boolean
  /** The value says something about a person: it enters the journal so that it can be forgotten. */
  readonly personal: boolean
}

export function setting<T extends SettingValueKind>(
  kind: Kind<T>,
  words: Words,
  traits: { readonly needsRestart?: true; readonly personal?: true } = {},
): Setting<T> {
  return { ...kind, ...words, needsRestart: traits.needsRestart ?? false, personal: traits.personal ?? false }
}

/** The type of a setting's value. */
export type ValueIn<S> = S extends Setting<infer T> ? T : never

const emailPattern = /^[^\s@,;<>"]+@[^\s@,;<>"]+$/
export const email = { wanted: 'an e-mail address', pattern: emailPattern }
export const place = { wanted: 'addresses, host names or address ranges without spaces', pattern: /^\S+$/ }
export const searchParameters = 'addresses, host names, address ranges and https URLs'
export const manager = {
  wanted: 'the address of a manager, such as license.example.com or 10.0.0.5:1947',
  pattern: /^\S+$/,
  isRight: (text: string) => parseSearchParameter(text).kind === 'place',
}
export const host = { wanted: 'a host name or address', pattern: /^\S+$/ }
export const hostName = {
  wanted: 'host names without spaces, ports or slashes',
  pattern: /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/,
}
export const proxyPlace = {
  wanted: 'the path of a Unix socket or a loopback host:port',
  // longer paths are none of a socket
  pattern: /^(?:\/\S+|(?:127(?:\.\d{1,3}){3}|localhost|\[::1\]):\d{1,5})$/,
  max: 100,
}
export const fileName = { wanted: 'the absolute path of a file', pattern: /^(\/|[A-Za-z]:[\\/])/, max: 1024 }
export function checkUrl(text: string): readonly string[] {
  return text === '' || URL.canParse(text)
    ? []
    : ['which can not be an address: a host, and a port up to 65,535, are wanted']
}
// credentials in an address would be shown and journaled with it
export const proxyUrl = { wanted: 'an http or https address without a password', pattern: /^https?:\/\/[^\s@/]+\/?$/ }

export const enableDetaching = {
  label: 'Enable Detaching of Licenses',
  help: 'On a manager it lets seats leave; on a workstation it offers Detach.',
}
export const reservedSeats = {
  label: 'Reserved Licenses',
  help: 'So many seats of a product are never detached.',
  unit: 'seats',
}
export const reservedPercent = {
  label: 'Reserved Licenses (percentage)',
  help: 'This part of the seats of a product is never detached; the larger of count and percentage holds.',
  unit: '%',
}
export const maxDays = {
  label: 'Max. Detach Duration',
  help: 'A seat is detached for at most so many days.',
  unit: 'days',
}
