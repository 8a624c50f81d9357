/** The account of the operating system that a program runs as, the way seats are counted by it. Imports nothing of ours. */
import os from 'node:os'

/** With its domain where the system tells one; undefined where the user id has no name. */
export function readAccount({ env }: Pick<NodeJS.Process, 'env'>): string | undefined {
  const domain = env.USERDOMAIN
  try {
    const { username } = os.userInfo()
    return domain ? `${domain}\\${username}` : username
  } catch {
    return env.USER || env.USERNAME || undefined
  }
}
