/**
 * A program for network namespaces: leads from a Unix socket, which every namespace sees, to a port of its own loopback, so that
 * a test outside can ask an agent inside. Arguments: the socket's path, the port. Prints a line when it is open.
 */
import { connect, createServer } from 'node:net'

const [socketPath = '', port = ''] = process.argv.slice(2)
const server = createServer((near) => {
  const far = connect({ port: Number(port), host: '127.0.0.1' })
  near.pipe(far).pipe(near)
  near.on('error', () => far.destroy())
  far.on('error', () => near.destroy())
})
server.listen(socketPath, () => process.stdout.write('open\n'))
