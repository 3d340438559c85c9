import { installRedisWithApt, systemProbes } from '@tidemark/infra'

/** A Redis program on this machine; on Debian or Ubuntu root gets one installed. @throws listing what can be done */
export async function localRedisCommand(): Promise<string> {
  const probes = systemProbes(undefined)
  for (const name of ['redis-server', 'valkey-server']) {
    const command = await probes.findCommand(name)
    if (command) return command
  }
  if (await probes.mayUseApt()) return installRedisWithApt((line) => process.stderr.write(`${line}\n`))
  throw new Error(
    'these tests start and kill a Redis of their own: put redis-server or valkey-server on the PATH',
  )
}
