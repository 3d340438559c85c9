import { InfraError } from './store.js'

/*
 * Where a Redis comes from, nearest first: the one you name, the one you have, one in a container, one from the
 * system's packages. Later probes are not made when an earlier one answers.
 */

export type RedisChoice =
  | { readonly from: 'environment'; readonly url: string }
  | { readonly from: 'path'; readonly command: string }
  | { readonly from: 'docker' }
  | { readonly from: 'apt' }

export interface RedisProbes {
  readonly url: string | undefined
  /** The full path of a command, or undefined. */
  findCommand(name: string): Promise<string | undefined>
  dockerAnswers(): Promise<boolean>
  /** True for root on Debian or Ubuntu. */
  mayUseApt(): Promise<boolean>
}

/** @throws InfraError `no_redis`, listing what can be done */
export async function chooseRedis(probes: RedisProbes): Promise<RedisChoice> {
  if (probes.url) return { from: 'environment', url: probes.url }
  for (const name of ['redis-server', 'valkey-server']) {
    const command = await probes.findCommand(name)
    if (command) return { from: 'path', command }
  }
  if (await probes.dockerAnswers()) return { from: 'docker' }
  if (await probes.mayUseApt()) return { from: 'apt' }
  throw new InfraError(
    'no_redis',
    'no Redis found: set REDIS_URL, or put redis-server or valkey-server (7.0 or newer) on the PATH, ' +
      'or start Docker, or run as root on Debian or Ubuntu so that it can be installed with apt-get',
  )
}
