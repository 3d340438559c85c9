import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PROBE_TIMEOUT_MS = 3_000

/** Runs the docker client and gives its output, trimmed. `timeoutMs` bounds it. */
export async function docker(args: readonly string[], timeoutMs: number): Promise<string> {
  const { stdout } = await run('docker', [...args], { timeout: timeoutMs })
  return stdout.trim()
}

/** True if a Docker engine answers within three seconds; a client without an engine does not count. */
export async function dockerAnswers(): Promise<boolean> {
  try {
    return (await docker(['version', '--format', '{{.Server.Version}}'], PROBE_TIMEOUT_MS)) !== ''
  } catch {
    return false
  }
}
