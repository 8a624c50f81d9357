/**
 * Every file and folder on disk, in one place. Decides names, touches nothing but to find the package's own folder.
 * Leaf module: imports nothing of ours.
 */
import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Paths {
  /** The data folder, 0700. Everything below is in it. */
  readonly data: string
  /** The store's own folder. */
  readonly store: string
  /** The agent's Ed25519 private key, PKCS #8 PEM, 0600. */
  readonly agentKey: string
  /** The agent's secret, 32 bytes as base64url, 0600. */
  readonly agentSecret: string
  /** Proves to the agent that the command line runs as the service's user; new at every start, 0600. */
  readonly cliKey: string
  /** The TLS certificate that the agent made for itself, PEM, 0600, and its key. */
  readonly tlsCertificate: string
  readonly tlsKey: string
  /** Where the running agent answers, as JSON. */
  readonly running: string
  /** Room kept on the disk for bad times (R1). */
  readonly ballast: string
  /** The configuration file that is read when no other is named and it is there. */
  readonly configuration: string
}

export function pathsIn(dataFolder: string): Paths {
  const data = path.resolve(dataFolder)
  return {
    data,
    store: path.join(data, 'store'),
    agentKey: path.join(data, 'agent.key'),
    agentSecret: path.join(data, 'agent.secret'),
    cliKey: path.join(data, 'cli.key'),
    tlsCertificate: path.join(data, 'tls.crt'),
    tlsKey: path.join(data, 'tls.key'),
    running: path.join(data, 'agent.json'),
    ballast: path.join(data, 'ballast'),
    configuration: path.join(data, 'leasehold.yaml'),
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** LEASEHOLD_DATA, else $XDG_DATA_HOME/leasehold, else ~/.local/share/leasehold. */
export function findDataFolder(environment: Environment, home: string = os.homedir()): string {
  if (environment.LEASEHOLD_DATA) return path.resolve(environment.LEASEHOLD_DATA)
  // a relative XDG_DATA_HOME is to be ignored, its specification says
  const base = environment.XDG_DATA_HOME
  if (base && path.isAbsolute(base)) return path.join(base, 'leasehold')
  return path.join(home, '.local', 'share', 'leasehold')
}

/** The folder with package.json, views and public: one up from the source, two up from what was built into build/. */
export function findPackageRoot(module: string = import.meta.url): string {
  let folder = path.dirname(fileURLToPath(module))
  for (;;) {
    const parent = path.dirname(folder)
    // the compiler may copy package.json into build/
    if (existsSync(path.join(folder, 'package.json')) && path.basename(folder) !== 'build') return folder
    if (parent === folder) throw new Error(`no package.json above ${fileURLToPath(module)}`)
    folder = parent
  }
}

const packageRoot = findPackageRoot()

/** What comes with the program, read only. */
export const packagePaths = {
  root: packageRoot,
  manifest: path.join(packageRoot, 'package.json'),
  views: path.join(packageRoot, 'views'),
  public: path.join(packageRoot, 'public'),
} as const
