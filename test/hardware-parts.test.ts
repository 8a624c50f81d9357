/**
 * Reading hardware parts, on machines made of files.
 */
import test from 'ava'
import { recordParts } from '../agent/domain/hardware.ts'
import { type MachineSource, readHardwareParts, thisMachine } from '../agent/hardware-parts.ts'

type Files = Readonly<Record<string, string>>

function machine(files: Files, links: Files = {}, changes: Partial<MachineSource> = {}): MachineSource {
  const exists = (path: string) => Object.keys(files).some((name) => name === path || name.startsWith(`${path}/`))
  return {
    platform: 'linux',
    readText: async (path) => files[path],
    list: async (path) => {
      const below = [...Object.keys(files), ...Object.keys(links)].filter((name) => name.startsWith(`${path}/`))
      return [...new Set(below.map((name) => name.slice(path.length + 1).split('/')[0] ?? ''))].sort()
    },
    resolve: async (path) => links[path] ?? (exists(path) ? path : undefined),
    run: async () => undefined,
    processorModel: () => undefined,
    networkAddresses: () => [],
    ...changes,
  }
}

const mounts = (numbers: string, device: string) =>
  `20 1 0:18 / /proc rw - proc proc rw\n21 0 0:2 / / rw - rootfs rootfs rw\n22 21 ${numbers} / / rw,relatime shared:1 - ext4 ${device} rw\n23 22 8:9 / /home rw - ext4 /dev/sdb1 rw\n`

const net = (name: string, address: string, assigned = '0'): Files => ({
  [`/sys/class/net/${name}/address`]: `${address}\n`,
  [`/sys/class/net/${name}/addr_assign_type`]: `${assigned}\n`,
})

test('a Linux machine tells all of its parts', async (t) => {
  const disk = '/sys/devices/pci0/nvme/nvme0n1'
  const source = machine(
    {
      '/etc/machine-id': '3d1219c7c4c5404aaa1f6d2a48adfda4\n',
      '/sys/class/dmi/id/board_serial': 'ABC123\n',
      '/proc/cpuinfo': 'processor\t: 0\nmodel name\t: Example Processor 9000\nstepping\t: 2\n',
      '/proc/self/mountinfo': mounts('253:0', '/dev/mapper/root'),
      ...net('docker0', '02:42:00:00:00:01'),
      ...net('enx1', '00:e0:4c:00:00:02'),
      ...net('lo', '00:00:00:00:00:00'),
      ...net('wlan0', '3c:52:82:aa:bb:cc'),
      '/sys/class/block/dm-0/size': '1',
      [`${disk}/nvme0n1p2/partition`]: '2',
      [`${disk}/wwid`]: 'eui.0025385b71b0ffff\n',
    },
    {
      '/dev/mapper/root': '/dev/dm-0',
      '/sys/class/block/dm-0/slaves/nvme0n1p2': 'x',
      '/sys/class/block/nvme0n1p2': `${disk}/nvme0n1p2`,
      '/sys/class/net/enx1/device': '/sys/devices/pci0/usb1/1-4',
      '/sys/class/net/wlan0/device': '/sys/devices/pci0/0000:02:00.0',
    },
  )
  t.deepEqual(await readHardwareParts(source), {
    machine: '3d1219c7c4c5404aaa1f6d2a48adfda4',
    board: 'ABC123',
    processor: 'Example Processor 9000',
    network: '3c:52:82:aa:bb:cc',
    disk: 'eui.0025385b71b0ffff',
  })
})

test('a disk is found by its numbers where the name of the root device says nothing', async (t) => {
  const disk = '/sys/devices/pci0/virtio1/block/vda'
  const source = machine(
    {
      '/proc/self/mountinfo': mounts('254:1', '/dev/root'),
      [`${disk}/vda1/partition`]: '1',
      [`${disk}/serial`]: 'disk-7',
    },
    { '/sys/dev/block/254:1': `${disk}/vda1` },
  )
  t.deepEqual(await readHardwareParts(source), { disk: 'disk-7' })
})

test('what a container hides is absent, and random addresses do not count', async (t) => {
  const source = machine(
    {
      '/etc/machine-id': '',
      '/proc/self/mountinfo': mounts('0:45', 'overlay'),
      ...net('eth0', '52:54:00:00:00:01', '1'),
    },
    { '/sys/class/net/eth0/device': '/sys/devices/pci0/eth' },
  )
  t.deepEqual(await readHardwareParts(source), {})
  t.deepEqual(await readHardwareParts(machine({})), {})
})

test('a USB adapter counts only where there is nothing on the board', async (t) => {
  const source = machine(net('enx1', '00:e0:4c:00:00:02'), {
    '/sys/class/net/enx1/device': '/sys/devices/pci0/usb1/1-4',
  })
  t.deepEqual(await readHardwareParts(source), { network: '00:e0:4c:00:00:02' })
})

test('macOS and Windows are asked by one system program each, by full path and without a shell', async (t) => {
  const asked: string[] = []
  const answers = (program: string, args: readonly string[]): string => {
    asked.push(program)
    if (args.includes('IOPlatformExpertDevice'))
      return '  "IOPlatformUUID" = "UUID-1"\n  "IOPlatformSerialNumber" = "SERIAL-1"\n'
    if (args.includes('IONVMeController')) return '  "Serial Number" = "NVME-1"\n'
    return `\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\r\n    ${args[3]}    REG_SZ    value of ${args[3]}\r\n\r\n`
  }
  const common = {
    run: async (program: string, args: readonly string[]) => answers(program, args),
    processorModel: () => 'Example Processor',
    networkAddresses: () => ['3c:52:82:aa:bb:cc'],
  }
  t.deepEqual(await readHardwareParts(machine({}, {}, { ...common, platform: 'darwin' })), {
    machine: 'UUID-1',
    board: 'SERIAL-1',
    processor: 'Example Processor',
    network: '3c:52:82:aa:bb:cc',
    disk: 'NVME-1',
  })
  t.deepEqual(await readHardwareParts(machine({}, {}, { ...common, platform: 'win32' })), {
    machine: 'value of MachineGuid',
    board: 'value of LastConfig',
    processor: 'Example Processor',
    network: '3c:52:82:aa:bb:cc',
    disk: 'value of 0',
  })
  t.deepEqual([...new Set(asked)], ['/usr/sbin/ioreg', 'C:\\Windows\\System32\\reg.exe'])
  t.deepEqual(await readHardwareParts(machine({}, {}, { ...common, platform: 'aix' })), {})
})

test('this machine can be read twice with the same result, and never throws', async (t) => {
  const parts = await readHardwareParts(thisMachine)
  t.deepEqual(await readHardwareParts(), parts)
  t.true(['recorded', 'refused'].includes(recordParts('license-1', parts).kind))
})
