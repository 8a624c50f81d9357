/**
 * What the outgoing proxy is told and what it answers: settings, outcomes, and the reading of them. Pure.
 */
import type { Socket } from 'node:net'
import type { Place } from '../domain/place.ts'
import type { TunnelFailure } from './proxy-tunnel.ts'

export interface ProxySettings {
  /** `http://host:port` or `https://host:port`; empty = there is none. */
  readonly url: string
  readonly user: string
  readonly passwordFile: string
  readonly except: readonly string[]
}

/** `straight`: without the proxy. */
export type Way = 'straight' | 'proxy'

/** Where it failed; those after `connect` only with a proxy. */
export type ProxyFailure = 'password' | 'name' | 'connect' | 'tls' | TunnelFailure

export type ProxyConnection =
  | { readonly kind: 'connected'; readonly way: Way; readonly socket: Socket }
  | {
      readonly kind: 'failed'
      readonly way: Way
      /** For whoever knows of no proxy: everything but the name of the target is the connection. */
      readonly step: 'name' | 'connect'
      readonly reason: ProxyFailure
      /** A part of a sentence: no capital, no full stop. */
      readonly detail: string
    }

export interface ProxyPlace {
  readonly secure: boolean
  readonly proxy: Place
  /** For people. */
  readonly shown: string
}

/** @returns undefined where the setting is no address, though it was taken for one once */
export function readProxy(text: string): ProxyPlace | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { secure, proxy: { host, port }, shown: `${url.hostname}:${port}` }
}
