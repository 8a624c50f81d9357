/**
 * Finds the agent of this machine and what proves that the command may change it: the port from --port,
 * LEASEHOLD_NETWORK_PORT, what the agent noted in its data folder, the configuration file or 1947; the key in the data folder, which only the user of the service
 * and root can read, else LEASEHOLD_TOKEN. Owns nothing.
 */
import { readFile } from 'node:fs/promises'
import { connectAgent } from '../client/call-agent.ts'
import { findDataFolder, pathsIn } from '../paths.ts'
import type { CommandIo } from './io.ts'
import type { AgentLink } from './verb.ts'

export const usualPort = 1947

export async function linkAgent(env: CommandIo['env'], port: number | undefined): Promise<AgentLink> {
  const paths = pathsIn(findDataFolder(env))
  const key = (await readOptional(paths.cliKey))?.trim()
  const found =
    port ??
    readPort(env.LEASEHOLD_NETWORK_PORT) ??
    (await readRunningPort(paths.running)) ??
    (await readFilePort(env, paths.configuration)) ??
    usualPort
  const tokens = [key, env.LEASEHOLD_TOKEN].filter((token) => token !== undefined && /^[\x21-\x7e]{1,512}$/.test(token))
  return {
    call: connectAgent({ port: found, tokens: tokens as string[] }),
    port: found,
    hasKey: tokens[0] === key && key !== undefined,
  }
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined // not there, or not for this user
  }
}

/** Port 0 lets the agent take any, so it says nothing. */
function readPort(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= 65_535 ? number : undefined
}

/** What is left of an agent that crashed names the port that it had. */
async function readRunningPort(file: string): Promise<number | undefined> {
  const text = await readOptional(file)
  if (text === undefined) return undefined
  try {
    return readPort(memberOf(JSON.parse(text), 'port'))
  } catch {
    return undefined
  }
}

async function readFilePort(env: CommandIo['env'], usual: string): Promise<number | undefined> {
  const text = await readOptional(env.LEASEHOLD_CONFIG || usual)
  if (text === undefined) return undefined
  const { parse } = await import('yaml')
  try {
    const file: unknown = parse(text)
    return readPort(memberOf(memberOf(file, 'network'), 'port'))
  } catch {
    return undefined // `serve` says what is wrong with the file
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
