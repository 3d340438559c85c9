import { spawn } from 'node:child_process'

/*
 * Nothing may outlive a process that was killed outright, when it can run no handler. So a tiny shell, in a session of
 * its own, reads from a pipe that only the owner holds: the system closes that pipe however the owner dies, and the
 * shell then ends the server. Letting go (`release`) ends the shell instead.
 */

export interface Leash {
  release(): void
}

export interface LeashedServer {
  readonly pid: number
  readonly signal: 'TERM' | 'INT' | 'QUIT'
  /** Seconds between the signal and SIGKILL. */
  readonly patienceSeconds: number
  /** Temporary folder to delete afterwards. */
  readonly folder?: string
}

const SCRIPT = `
read -r _
kill -"$2" "$1" 2>/dev/null
waited=0
while [ "$waited" -lt "$3" ] && kill -0 "$1" 2>/dev/null; do sleep 1; waited=$((waited + 1)); done
kill -KILL "$1" 2>/dev/null
[ -z "$4" ] || rm -rf "$4"
`

/** Ties a server's life to this process. */
export function leash(server: LeashedServer): Leash {
  const args = [String(server.pid), server.signal, String(server.patienceSeconds), server.folder ?? '']
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'leash', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.on('error', () => undefined)
  shell.stdin.on('error', () => undefined)
  shell.unref()
  ;(shell.stdin as unknown as { unref(): void }).unref()
  return {
    release() {
      shell.kill('SIGKILL')
    },
  }
}
