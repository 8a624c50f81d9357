/**
 * Reads the hardware parts of this machine that a license may be bound to. Reads files, and on macOS and Windows one system
 * program each by its full path; never runs a shell. Only Linux was tried; the other two are written as their makers document.
 * What the parts mean and how they are compared is `domain/hardware.ts`.
 */
import { execFile } from 'node:child_process'
import { readdir, readFile, realpath } from 'node:fs/promises'
import { cpus, networkInterfaces } from 'node:os'
import type { HardwarePartName, HardwareParts } from './domain/hardware.ts'

/** What is asked of the machine; tests have their own. Nothing rejects: what can't be had is undefined or empty. */
export interface MachineSource {
  readonly platform: NodeJS.Platform
  readText(path: string): Promise<string | undefined>
  /** Names in a folder, sorted. */
  list(path: string): Promise<readonly string[]>
  /** The path with its links followed. */
  resolve(path: string): Promise<string | undefined>
  /** What a program prints; no shell. */
  run(program: string, args: readonly string[]): Promise<string | undefined>
  processorModel(): string | undefined
  /** Addresses of the network interfaces that are not internal, sorted by name. */
  networkAddresses(): readonly string[]
}

const programTimeout = 10_000

export const thisMachine: MachineSource = {
  platform: process.platform,
  readText: (path) => readFile(path, 'utf8').catch(() => undefined),
  list: async (path) => (await readdir(path).catch(() => [])).sort(),
  resolve: (path) => realpath(path).catch(() => undefined),
  run: (program, args) =>
    new Promise((done) => {
      const options = { timeout: programTimeout, maxBuffer: 1_000_000, windowsHide: true }
      execFile(program, [...args], options, (error, output) => done(error ? undefined : output))
    }),
  processorModel: () => cpus()[0]?.model,
  networkAddresses: () =>
    Object.entries(networkInterfaces())
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([, addresses]) => addresses ?? [])
      .filter((address) => !address.internal)
      .map((address) => address.mac),
}

/** The parts in the clear; what can't be read is absent. */
export async function readHardwareParts(source: MachineSource = thisMachine): Promise<HardwareParts> {
  const found = await readFound(source)
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined && value.trim() !== ''))
}

type Found = Readonly<Record<HardwarePartName, string | undefined>>

async function readFound(source: MachineSource): Promise<Found | Record<string, never>> {
  switch (source.platform) {
    case 'linux':
      return readLinux(source)
    case 'darwin':
      return readMacOs(source)
    case 'win32':
      return readWindows(source)
    default:
      return {}
  }
}

async function firstText(source: MachineSource, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = (await source.readText(path))?.replace(/\0/g, '').trim()
    if (text) return text
  }
  return undefined
}

async function readLinux(source: MachineSource): Promise<Found> {
  return {
    machine: await firstText(source, ['/etc/machine-id', '/var/lib/dbus/machine-id']),
    // Only root may read the first three on most systems, so what is recorded depends on who the agent runs as.
    board: await firstText(source, [
      '/sys/class/dmi/id/product_uuid',
      '/sys/class/dmi/id/board_serial',
      '/sys/class/dmi/id/product_serial',
      '/sys/firmware/devicetree/base/serial-number',
    ]),
    processor: linuxProcessor(await source.readText('/proc/cpuinfo')) ?? source.processorModel(),
    network: await linuxNetwork(source),
    disk: await linuxDisk(source),
  }
}

function linuxProcessor(cpuinfo: string | undefined): string | undefined {
  return /^model name\s*:\s*(.+)$/m.exec(cpuinfo ?? '')?.[1]
}

/** Of the interfaces with a device behind them: those on the board before those that are plugged in, then by name. */
async function linuxNetwork(source: MachineSource): Promise<string | undefined> {
  const candidates: { address: string; plugged: boolean }[] = []
  for (const name of await source.list('/sys/class/net')) {
    const folder = `/sys/class/net/${name}`
    const device = await source.resolve(`${folder}/device`)
    const address = (await source.readText(`${folder}/address`))?.trim()
    const assigned = (await source.readText(`${folder}/addr_assign_type`))?.trim() ?? '0'
    // 1 = random at every start. Only 6 bytes are an Ethernet address.
    if (device === undefined || address?.length !== 17 || assigned === '1') continue
    candidates.push({ address, plugged: device.includes('/usb') })
  }
  return (candidates.find((candidate) => !candidate.plugged) ?? candidates[0])?.address
}

/** The disk below the root file system, through partitions, encryption and volumes. */
async function linuxDisk(source: MachineSource): Promise<string | undefined> {
  const mounts = (await source.readText('/proc/self/mountinfo'))?.split('\n') ?? []
  // Fields: id, parent, major:minor, root, mount point, … - type, device, options. The last mount on / is the one that shows.
  const root = mounts.findLast((line) => line.split(' ')[4] === '/')
  if (root === undefined) return undefined
  const device = root.split(' - ')[1]?.split(' ')[1] ?? ''
  const numbers = root.split(' ')[2] ?? ''
  const named = device.startsWith('/dev/') ? (await source.resolve(device))?.split('/').at(-1) : undefined
  let folder =
    (named && (await source.resolve(`/sys/class/block/${named}`))) ??
    (await source.resolve(`/sys/dev/block/${numbers}`))
  for (let level = 0; folder !== undefined && level < 8; level++) {
    const [below] = await source.list(`${folder}/slaves`)
    if (below !== undefined) folder = await source.resolve(`/sys/class/block/${below}`)
    else if ((await source.readText(`${folder}/partition`)) !== undefined)
      folder = folder.slice(0, folder.lastIndexOf('/'))
    else break
  }
  if (folder === undefined) return undefined
  return firstText(
    source,
    ['wwid', 'device/wwid', 'serial', 'device/serial', 'device/cid'].map((name) => `${folder}/${name}`),
  )
}

async function readMacOs(source: MachineSource): Promise<Found> {
  const registry = async (name: string, kind: string) => {
    const printed = await source.run('/usr/sbin/ioreg', ['-rd1', '-c', kind])
    return new RegExp(`"${name}" = "([^"]+)"`).exec(printed ?? '')?.[1]
  }
  return {
    machine: await registry('IOPlatformUUID', 'IOPlatformExpertDevice'),
    board: await registry('IOPlatformSerialNumber', 'IOPlatformExpertDevice'),
    processor: source.processorModel(),
    network: source.networkAddresses()[0],
    disk: await registry('Serial Number', 'IONVMeController'),
  }
}

async function readWindows(source: MachineSource): Promise<Found> {
  const query = async (key: string, name: string) => {
    const printed = await source.run('C:\\Windows\\System32\\reg.exe', ['query', key, '/v', name, '/reg:64'])
    return /REG_SZ\s+(.+?)\s*$/m.exec(printed ?? '')?.[1]
  }
  return {
    machine: await query('HKLM\\SOFTWARE\\Microsoft\\Cryptography', 'MachineGuid'),
    // The system UUID of the firmware, in braces.
    board: await query('HKLM\\SYSTEM\\HardwareConfig', 'LastConfig'),
    processor: source.processorModel(),
    network: source.networkAddresses()[0],
    // The first disk, by the path of its device.
    disk: await query('HKLM\\SYSTEM\\CurrentControlSet\\Services\\disk\\Enum', '0'),
  }
}
